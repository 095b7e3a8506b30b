# An incident that gets graver raises again, though it is about the same hosts; one that only grows
# or falls quiet does not. What the site's hook refused is asked again. A second Zeek goes on where the first one ended.
#
# @TEST-REQUIRES: command -v zeek
# @TEST-EXEC: printf '#fields\tserial\n1\n' >eddy.mark
# @TEST-EXEC: ${SCRIPTS}/make-table incidents.tsv 10:a:low 11:a:low:growing 12:a:medium:growing 13:b:low 14:b:low:quiet
# @TEST-EXEC: btest-bg-run first zeek ${PACKAGE} %INPUT
# @TEST-EXEC: btest-bg-wait -k 6
# @TEST-EXEC: test "$(grep '^notice' first/.stdout | tr '\n' ' ')" = 'notice a medium notice b low '
# @TEST-EXEC: ${SCRIPTS}/make-table incidents.tsv 12:a:medium:growing 13:b:low 14:b:low:quiet 15:a:medium:growing 16:a:high:closed
# @TEST-EXEC: btest-bg-run second zeek ${PACKAGE} %INPUT
# @TEST-EXEC: btest-bg-wait -k 6
# @TEST-EXEC: test "$(grep '^notice' second/.stdout)" = 'notice a high'

redef exit_only_after_terminate = T;
redef Eddy::incidents_file = "../incidents.tsv";

hook Eddy::policy(inc: Eddy::Incident, n: Notice::Info)
	{
	if ( inc$id == "a" && inc$severity == "low" )
		break;

	n$msg = fmt("%s %s", inc$id, inc$severity);
	}

event Notice::log_notice(n: Notice::Info)
	{
	print fmt("notice %s", n$msg);
	}
