# Each incident becomes one notice, though it has three rows and the table is read again and again; a
# second Zeek repeats none, and raises what came while there was none.
#
# @TEST-REQUIRES: command -v zeek
# @TEST-EXEC: printf '#fields\tserial\n1000\n' >eddy.mark
# @TEST-EXEC: ${SCRIPTS}/make-table incidents.tsv 900 1001 1002 1003
# @TEST-EXEC: btest-bg-run first zeek ${PACKAGE} %INPUT
# @TEST-EXEC: sleep 4
# @TEST-EXEC: ${SCRIPTS}/make-table incidents.tsv 900 1001 1002 1003 1004 1005
# @TEST-EXEC: btest-bg-wait -k 6
# @TEST-EXEC: test "$(grep -c '^notice' first/.stdout)" = 5
# @TEST-EXEC: grep -q '^notice Eddy::Beacon 10.0.0.5 2001:db8::1 443/tcp i1001 says, "so"$' first/.stdout
# @TEST-EXEC: test "$(tail -n1 eddy.mark)" = 1005
# @TEST-EXEC: ${SCRIPTS}/make-table incidents.tsv 900 1001 1002 1003 1004 1005 1006
# @TEST-EXEC: btest-bg-run second zeek ${PACKAGE} %INPUT
# @TEST-EXEC: btest-bg-wait -k 6
# @TEST-EXEC: test "$(grep '^notice' second/.stdout | cut -d' ' -f6)" = i1006
# @TEST-EXEC: test "$(cat first/.stdout second/.stdout | grep -c '^row')" = 6

redef exit_only_after_terminate = T;
redef Eddy::incidents_file = "../incidents.tsv";

# The hosts are the same in all of them.
redef Eddy::suppress_for = 0sec;

event Eddy::incident(inc: Eddy::Incident)
	{
	print fmt("row %d", inc$serial);
	}

event Notice::log_notice(n: Notice::Info)
	{
	print fmt("notice %s %s %s %s %s", n$note, n$src, n$dst, n$p, n$msg);
	}
