# Run by CPack before it packs: every file gets the time of the source ($SOURCE_DATE_EPOCH), so that the same source makes
# the same package, byte for byte. Without the variable times stay as they are.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(
    COMMAND find "${CPACK_TEMPORARY_DIRECTORY}" -exec touch --no-dereference "--date=@$ENV{SOURCE_DATE_EPOCH}" {} +
    COMMAND_ERROR_IS_FATAL ANY)
endif()
