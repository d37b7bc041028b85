# Every dependency is a Debian package (scripts/setup installs them); nothing is downloaded at build time.
# Each library below is used by the one layer named beside it and linked PRIVATE there.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)                    # sqlbak, gateway
find_package(CURL 7.88 REQUIRED)                             # upstream
find_package(Poco 1.11 REQUIRED COMPONENTS Net NetSSL Util)  # http
find_package(OpenSSL 3.0 REQUIRED)                           # base (hashes), upstream, http
find_package(ZLIB REQUIRED)                                  # http
find_package(tomlplusplus 3.3 REQUIRED)                      # config
find_package(SQLite3 3.40 REQUIRED)                          # history
find_package(prometheus-cpp REQUIRED)                        # gateway: its own metrics (the package carries no version)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libcrypt REQUIRED IMPORTED_TARGET libcrypt) # gateway: bcrypt
pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd) # program: readiness, watchdog
if(SQLBAK_GATEWAY_TESTS OR NOT DEFINED SQLBAK_GATEWAY_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
if(SQLBAK_GATEWAY_BENCHMARKS)
  find_package(benchmark 1.7 REQUIRED)
endif()
