# The site's hook changes a notice or drops it.
#
# @TEST-REQUIRES: command -v zeek
# @TEST-EXEC: printf '#fields\tserial\n1\n' >eddy.mark
# @TEST-EXEC: ${SCRIPTS}/make-table incidents.tsv 10 11
# @TEST-EXEC: btest-bg-run zeek zeek ${PACKAGE} %INPUT
# @TEST-EXEC: btest-bg-wait -k 6
# @TEST-EXEC: test "$(grep '^notice' zeek/.stdout)" = 'notice mine'

redef exit_only_after_terminate = T;
redef Eddy::incidents_file = "../incidents.tsv";

hook Eddy::policy(inc: Eddy::Incident, n: Notice::Info)
	{
	if ( inc$id == "i10" )
		break;

	n$msg = "mine";
	}

event Notice::log_notice(n: Notice::Info)
	{
	print fmt("notice %s", n$msg);
	}
