# Third-party libraries, by pkg-config. Optional ones are told to the code as EDDY_HAVE_*.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(yajl REQUIRED IMPORTED_TARGET yajl)
pkg_check_modules(inih REQUIRED IMPORTED_TARGET inih)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(crypto REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(maxminddb REQUIRED IMPORTED_TARGET libmaxminddb)
if(EDDY_CURL) # optional: without, `eddy model pull` says that it is missing
  pkg_check_modules(curl IMPORTED_TARGET libcurl)
endif()
pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd)
