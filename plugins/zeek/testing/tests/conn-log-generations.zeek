# Ten minutes of connections, rotated each minute: the newest three generations stay, in order, and the
# site's own log is not touched.
#
# @TEST-REQUIRES: command -v zeek
# @TEST-EXEC: ${SCRIPTS}/make-pcap conns.pcap 60 10
# @TEST-EXEC: zeek -r conns.pcap ${PACKAGE} %INPUT
# @TEST-EXEC: test "$(echo eddy_conn*.log)" = 'eddy_conn.1.log eddy_conn.2.log eddy_conn.3.log'
# @TEST-EXEC: head -qn1 eddy_conn.3.log eddy_conn.2.log eddy_conn.1.log >firsts
# @TEST-EXEC: test "$(sort firsts)" = "$(cat firsts)"
# @TEST-EXEC: test $(grep -vc '^#' conn.log) = 60

redef Eddy::conn_rotation_interval = 1min;
redef Eddy::conn_generations = 3;
