# Puts what `eddy options --man` prints in the place of @SETTINGS@: -D EDDY= -D FROM= -D TO= -P fill.cmake
execute_process(COMMAND ${EDDY} options --man OUTPUT_VARIABLE SETTINGS RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${EDDY} options --man: ${status}")
endif()
configure_file(${FROM} ${TO} @ONLY)
