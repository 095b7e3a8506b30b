# The log is JSON with eddy's columns, beside the site's own, whatever format that has.
#
# @TEST-REQUIRES: command -v zeek
# @TEST-EXEC: ${SCRIPTS}/make-pcap conns.pcap 3 1
# @TEST-EXEC: zeek -r conns.pcap ${PACKAGE} %INPUT
# @TEST-EXEC: test $(grep -vc '^#' conn.log) = 3
# @TEST-EXEC: test $(grep -c '^{"ts":17672256' eddy_conn.log) = 3
# @TEST-EXEC: test $(grep -c '"id.orig_h":"10.0.0.5","id.orig_p":4000[012],"id.resp_h":"198.51.100.7","id.resp_p":80,"proto":"tcp"' eddy_conn.log) = 3
# @TEST-EXEC: test $(grep -c '"orig_bytes":30,"resp_bytes":200,"conn_state":"SF"' eddy_conn.log) = 3
# @TEST-EXEC-FAIL: grep -q 'local_orig' eddy_conn.log

redef LogAscii::use_json = F;
