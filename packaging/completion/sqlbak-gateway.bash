# Bash completion for sqlbak-gateway: its flags and their values.
_sqlbak_gateway() {
    local current=${COMP_WORDS[COMP_CWORD]} flag=
    COMPREPLY=()
    # Bash splits --flag=value into three words.
    if [[ $current == = ]]; then
        flag=${COMP_WORDS[COMP_CWORD - 1]} current=
    elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
        flag=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == -* && $current != -* ]]; then
        flag=${COMP_WORDS[COMP_CWORD - 1]}
    fi
    case $flag in
    --config.file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    --log.level) mapfile -t COMPREPLY < <(compgen -W "debug info warn error" -- "$current") ;;
    --log.format) mapfile -t COMPREPLY < <(compgen -W "logfmt json" -- "$current") ;;
    --web.listen-address) mapfile -t COMPREPLY < <(compgen -W "127.0.0.1:8000 [::]:8000 :8000" -- "$current") ;;
    --probe) ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "--config.file= --config.check --web.listen-address= --probe=
            --log.level= --log.format= --version --help" -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
        ;;
    esac
}
complete -F _sqlbak_gateway sqlbak-gateway
