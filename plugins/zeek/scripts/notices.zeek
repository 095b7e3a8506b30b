# SPDX-License-Identifier: MIT
##! Reads eddy's incidents back and makes notices of them.
##!
##! eddy replaces its table of the last incidents by rename; the Input framework reads all of it again
##! at each change. Rows have serial numbers that only grow. The last one seen is remembered in
##! a file, so that a restart of Zeek repeats no notice and misses none.

@load base/frameworks/cluster
@load base/frameworks/input
@load base/frameworks/notice

module Eddy;

export {
	redef enum Notice::Type += {
		## Something about a host is far from what is usual for it.
		Anomaly,
		## A host tries many others, or many ports.
		Scan,
		## A host calls another one regularly.
		Beacon,
		## Far more connections in a minute than usual: a flood, or guessed passwords.
		Burst,
		## A host sends far more out than usual.
		Upload,
		## What a host asks of DNS carries data.
		Tunnel,
	};

	## What eddy writes: zeek_notice.path in eddy.conf. Empty: no notices.
	const incidents_file = "/var/lib/eddy/zeek-incidents.tsv" &redef;

	## Where the serial number of the last row seen is kept. Zeek must be able to write it, and it must
	## outlive a restart: Zeek's directory itself does not with ZeekControl, the one above does.
	## Empty: after a start only what eddy finds from then on.
	const mark_file = "../eddy.mark" &redef;

	## For how long another incident of the same detector about the same hosts raises no notice.
	option suppress_for = 1hr;

	## An incident, as it opens, grows, falls quiet and closes. The fields are the columns of the table.
	type Incident: record {
		## Grows with each row. Microseconds since 1970, when it was written.
		serial: count;
		## The same for all rows of one incident.
		id: string;
		## "new", "growing", "quiet" or "closed".
		state: string;
		## "fanout", "beacon", "burst" ...
		detector: string;
		## "low", "medium" or "high".
		severity: string;
		## Whom it is about.
		host: addr;
		## The main other end, if there is one.
		peer: addr &optional;
		peer_port: count &optional;
		## "tcp", "udp", "icmp", or the number of another protocol.
		proto: string;
		## MITRE ATT&CK, "T1071".
		technique: string;
		## Of its connections.
		start: time;
		end: time;
		## How many connections are part of it.
		flows: count;
		## How often something this unusual is seen, 0 to 1.
		p: double;
		## -log10(p).
		score: double;
		## One sentence.
		summary: string;
		## Why, the weightiest first.
		reasons: vector of string;
		## Some of its connections: `uid` of conn.log if that is what eddy reads.
		uids: vector of string;
	};

	## Which notice a detector's incidents are.
	const notice_types: table[string] of Notice::Type = {
		["tail"] = Anomaly,
		["fanout"] = Scan,
		["beacon"] = Beacon,
		["burst"] = Burst,
		["exfil"] = Upload,
		["dns"] = Tunnel,
		["rarity"] = Anomaly,
		["iforest"] = Anomaly,
		["forest"] = Anomaly,
	} &default=Anomaly &redef;

	## Each row as it comes: also when an incident grows, falls quiet and closes.
	global incident: event(inc: Incident);

	## The site's word on a notice before it is raised: change its fields, or `break` to raise none;
	## it is asked again when the next row comes. Notice::policy applies afterwards as for all notices.
	global policy: hook(inc: Incident, n: Notice::Info);
}

type Mark: record {
	serial: count;
};

const incidents_stream = "eddy-incidents";
const mark_stream = "eddy-mark";

# The last row seen, the one in mark_file, and the last one of before this Zeek.
global mark: count = 0;
global saved: count = 0;
global begun: count = 0;

# Most incidents open low, with one connection, and get graver.
const gravities: table[string] of count = {
	["low"] = 1,
	["medium"] = 2,
	["high"] = 3,
} &default=1;

# Of open incidents: how grave the last notice was. 0: there was none.
global raised: table[string] of count &default=0 &write_expire=7day;

global started = F;

# As the table is written, whatever the site has set for its own inputs.
function reader_config(): table[string] of string
	{
	local config = table_string_of_string();
	config["separator"] = "\t";
	config["set_separator"] = ",";
	config["empty_field"] = "(empty)";
	config["unset_field"] = "-";
	config["fail_on_file_problem"] = "F";
	config["fail_on_invalid_lines"] = "F";
	return config;
	}

function transport(proto: string): transport_proto
	{
	switch ( proto )
		{
		case "tcp":
			return tcp;
		case "udp":
			return udp;
		case "icmp":
			return icmp;
		}

	return unknown_transport;
	}

# F: the site does not want it.
function raise(inc: Incident): bool
	{
	local why = fmt("%s (%s, p=%.2g, %s, eddy incident %s)", join_string_vec(
	    inc$reasons, "; "), inc$severity, inc$p, inc$technique, inc$id);
	local n = Notice::Info($note=notice_types[inc$detector], $msg=inc$summary,
	    $sub=why, $src=inc$host, $n=inc$flows, $suppress_for=suppress_for);

	# With the severity, or a graver one would be suppressed.
	n$identifier = cat_sep("/", "-", inc$detector, inc$severity, inc$host);

	if ( inc?$peer )
		{
		n$dst = inc$peer;
		n$identifier = cat_sep("/", "-", n$identifier, inc$peer);
		}

	if ( inc?$peer_port )
		n$p = count_to_port(inc$peer_port, transport(inc$proto));

	# Other sensors' flows have other ids.
	if ( |inc$uids| > 0 && /^C[0-9A-Za-z]{8,}$/ in inc$uids[0] )
		n$uid = inc$uids[0];

	if ( ! hook policy(inc, n) )
		return F;

	NOTICE(n);
	return T;
	}

event Eddy::row(description: Input::EventDescription, tpe: Input::Event,
    inc: Incident)
	{
	local gravity = gravities[inc$severity];

	if ( inc$serial > mark )
		{
		mark = inc$serial;
		event Eddy::incident(inc);

		if ( gravity > raised[inc$id] && raise(inc) )
			raised[inc$id] = gravity;
		}

	# The Zeek before this one has seen it, and raised it we suppose.
	else if ( inc$serial <= begun && gravity > raised[inc$id] )
		raised[inc$id] = gravity;

	if ( inc$state == "closed" )
		delete raised[inc$id];
	}

event Eddy::mark_row(description: Input::EventDescription, tpe: Input::Event,
    item: Mark)
	{
	mark = item$serial;
	saved = mark;
	}

# Written beside and renamed: there is always a whole one.
function save_mark()
	{
	if ( mark_file == "" || mark == saved )
		return;

	# Not with print, which writes a tab as the four characters \x09.
	local text = "#fields\tserial\n" + fmt("%d\n", mark);
	local unfinished = mark_file + ".tmp";
	local f = open(unfinished);
	write_file(f, text);
	close(f);

	if ( file_size(unfinished) != |text| || ! rename(unfinished, mark_file) )
		Reporter::warning(fmt("eddy: %s can't be written: a restart may miss or repeat notices",
		    mark_file));

	# Tried again with the next incident, not at each look.
	saved = mark;
	}

function start()
	{
	if ( started )
		return;

	started = T;
	begun = mark;
	save_mark();
	Input::add_event([$source=incidents_file, $reader=Input::READER_ASCII,
	    $mode=Input::REREAD, $name=incidents_stream, $fields=Incident,
	    $ev=Eddy::row, $config=reader_config()]);
	}

event Eddy::start_without_mark()
	{
	if ( ! started )
		Reporter::warning(fmt(
		    "eddy: %s can't be read: beginning with incidents of now",
		    mark_file));

	start();
	}

event Input::end_of_data(name: string, source: string)
	{
	if ( name == incidents_stream )
		save_mark();
	else if ( name == mark_stream && ! started )
		{
		Input::remove(mark_stream);
		start();
		}
	}

event zeek_init()
	{
	# A trace of the past has nothing to do with the incidents of now.
	if ( incidents_file == "" || reading_traces() )
		return;

	if ( Cluster::is_enabled() && Cluster::local_node_type() != Cluster::MANAGER )
		return;

	# At the very first start: what is in the table already is history.
	mark = double_to_count(time_to_double(current_time()) * 1000000.0);

	if ( mark_file == "" || file_size(mark_file) <= 0.0 )
		{
		start();
		return;
		}

	Input::add_event([$source=mark_file, $reader=Input::READER_ASCII,
	    $mode=Input::MANUAL, $name=mark_stream, $fields=Mark,
	    $ev=Eddy::mark_row, $config=reader_config()]);
	schedule 10sec { Eddy::start_without_mark() };
	}
