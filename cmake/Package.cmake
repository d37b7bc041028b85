# What is installed where, and the Debian package made of it:
#
#   scripts/release                                      the package and a source archive, reproducibly
#   cmake --build --preset package && cpack -G DEB --config build/package/CPackConfig.cmake -B build/package
#
# The folder packaging/ holds what is not the program: the unit, the maintainer scripts, manual pages, completion.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(packaging "${PROJECT_SOURCE_DIR}/packaging")
set(made "${PROJECT_BINARY_DIR}/packaging")
file(MAKE_DIRECTORY "${made}")

# Manual pages and the changelog are compressed without a time, so that the same source makes the same package.
function(_compressed source target)
  cmake_parse_arguments(ARG "" "" "THROUGH;DEPENDS" ${ARGN})
  if(NOT ARG_THROUGH)
    set(ARG_THROUGH cat)
  endif()
  add_custom_command(OUTPUT "${target}"
    COMMAND ${ARG_THROUGH} < "${source}" | gzip -9n > "${target}"
    DEPENDS "${source}" ${ARG_DEPENDS} VERBATIM)
endfunction()
_compressed("${PROJECT_SOURCE_DIR}/docs/configuration.md" "${made}/gateway.toml.5.gz"
  THROUGH ${Python3_EXECUTABLE} -B ${packaging}/man/from_markdown.py ${PROJECT_VERSION}
  DEPENDS "${packaging}/man/from_markdown.py")
_compressed("${packaging}/man/sqlbak-gateway.8" "${made}/sqlbak-gateway.8.gz")
_compressed("${packaging}/debian/changelog" "${made}/changelog.gz")
# The documents link to each other as they lie in the source; installed, they lie elsewhere.
file(GLOB_RECURSE documents CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/*.md")
list(APPEND documents "${PROJECT_SOURCE_DIR}/contrib/alerts/README.md" "${PROJECT_SOURCE_DIR}/contrib/grafana/README.md")
add_custom_command(OUTPUT "${made}/documents.made"
  COMMAND ${Python3_EXECUTABLE} -B "${packaging}/documents.py" "${PROJECT_SOURCE_DIR}" "${made}/documents"
  COMMAND ${CMAKE_COMMAND} -E touch "${made}/documents.made"
  DEPENDS "${packaging}/documents.py" ${documents} VERBATIM)
add_custom_target(packaging_files ALL
  DEPENDS "${made}/gateway.toml.5.gz" "${made}/sqlbak-gateway.8.gz" "${made}/changelog.gz" "${made}/documents.made")

# Debian's places, whatever the prefix: the package is for /usr, but /etc, and the unit in /lib.
set(doc share/doc/sqlbak-gateway)
set(private OWNER_READ OWNER_WRITE)
set(private_folder OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE)
install(TARGETS sqlbak-gateway RUNTIME DESTINATION bin)
install(FILES "${PROJECT_SOURCE_DIR}/etc/gateway.toml" DESTINATION /etc/sqlbak-gateway
  PERMISSIONS ${private} GROUP_READ)
install(DIRECTORY DESTINATION /etc/sqlbak-gateway/accounts.d DIRECTORY_PERMISSIONS ${private_folder})
install(DIRECTORY DESTINATION /etc/sqlbak-gateway/tokens DIRECTORY_PERMISSIONS ${private_folder})
install(FILES "${packaging}/debian/default" DESTINATION /etc/default RENAME sqlbak-gateway PERMISSIONS ${private})
install(FILES "${packaging}/systemd/sqlbak-gateway.service" DESTINATION /lib/systemd/system)
install(FILES "${packaging}/systemd/sqlbak-gateway.sysusers" DESTINATION lib/sysusers.d RENAME sqlbak-gateway.conf)
install(FILES "${packaging}/completion/sqlbak-gateway.bash" DESTINATION share/bash-completion/completions
  RENAME sqlbak-gateway)
install(FILES "${made}/gateway.toml.5.gz" DESTINATION share/man/man5)
install(FILES "${made}/sqlbak-gateway.8.gz" DESTINATION share/man/man8)
install(FILES "${packaging}/debian/copyright" "${made}/changelog.gz" DESTINATION ${doc})
install(FILES "${packaging}/debian/lintian-overrides" DESTINATION share/lintian/overrides RENAME sqlbak-gateway)
install(DIRECTORY "${made}/documents/" DESTINATION share)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/etc/examples/" "${PROJECT_SOURCE_DIR}/etc/prometheus" DESTINATION ${doc}/examples)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/contrib/alerts" DESTINATION share/sqlbak-gateway PATTERN "*.md" EXCLUDE)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/contrib/grafana/dashboards" "${PROJECT_SOURCE_DIR}/contrib/grafana/provisioning"
  DESTINATION share/sqlbak-gateway/grafana)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sqlbak-gateway)
set(CPACK_PACKAGE_VENDOR "The sqlbak-gateway authors")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/SameTimes.cmake")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The sqlbak-gateway authors <sqlbak-gateway@example.com>")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Prometheus exporter gateway for many SqlBak accounts
SqlBak backs up SQL Server, MySQL and PostgreSQL. This daemon tells Prometheus,
for each of many SqlBak accounts, what is protected, what is late, what is
failing, and what nobody backs up at all.
.
It is one target per account, at /probe?account=NAME in the manner of the
blackbox exporter, with discovery, access control, alert rules and dashboards.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus, prometheus-alertmanager")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${packaging}/debian/conffiles" "${packaging}/debian/postinst" "${packaging}/debian/prerm" "${packaging}/debian/postrm")
include(CPack)
