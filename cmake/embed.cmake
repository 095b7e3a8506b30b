# Makes a C file of any file: cmake -DIN=... -DOUT=... -DNAME=... -DHEADER=... -P embed.cmake
file(READ ${IN} bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR length "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "/* Made from ${IN}. */\n#include \"${HEADER}\"\n\n"
  "const char ${NAME}_text[] = {${bytes}0};\nconst size_t ${NAME}_length = ${length};\n")
