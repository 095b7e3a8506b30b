# SPDX-License-Identifier: MIT
##! A conn log of its own for eddy: JSON, only the columns eddy reads, rotated on its own and kept for
##! some generations, so that eddy may be down for a while and loses nothing. The site's own logs stay
##! as they are. In a cluster each logger writes one.

@load base/frameworks/logging
@load base/protocols/conn

module Eddy;

export {
	## Name of the log, without its ending. eddyd follows the file beside conn.log: eddy_conn.log.
	const conn_path = "eddy_conn" &redef;

	## How often it is rotated.
	const conn_rotation_interval = 10min &redef;

	## How many rotated files are kept, as eddy_conn.1.log (the newest), eddy_conn.2.log and so on.
	## eddyd may be down for so many intervals. With 0 the site's own postprocessor gets them.
	const conn_generations = 12 &redef;

	## The columns eddy reads. ip_proto is there since Zeek 7.1; older ones leave it out.
	const conn_columns: set[string] = {
		"ts",
		"uid",
		"id.orig_h",
		"id.orig_p",
		"id.resp_h",
		"id.resp_p",
		"proto",
		"service",
		"duration",
		"orig_bytes",
		"resp_bytes",
		"conn_state",
		"missed_bytes",
		"history",
		"orig_pkts",
		"orig_ip_bytes",
		"resp_pkts",
		"resp_ip_bytes",
		"ip_proto",
	} &redef;

	## Which connections eddy gets; `break` leaves one out. The site's Conn::log_policy does not
	## apply here: what is noise in a log may be what eddy needs to know as usual.
	global conn_policy: Log::PolicyHook;
}

# Makes room for the newest generation; the oldest one is overwritten.
function keep_generations(info: Log::RotationInfo): bool
	{
	local ending = getenv("ZEEK_LOG_SUFFIX") == "" ? "log" : getenv(
	    "ZEEK_LOG_SUFFIX");
	local i = conn_generations;

	while ( i > 1 )
		{
		local newer = fmt("%s.%d.%s", info$path, i - 1, ending);

		if ( file_size(newer) >= 0.0 )
			rename(newer, fmt("%s.%d.%s", info$path, i, ending));

		--i;
		}

	return rename(info$fname, fmt("%s.1.%s", info$path, ending));
	}

event zeek_init()
	{
	local filter = Log::Filter($name="eddy", $path=conn_path,
	    $writer=Log::WRITER_ASCII, $include=conn_columns,
	    $policy=conn_policy, $scope_sep=".",
	    $field_name_map=table_string_of_string(),
	    $interv=conn_rotation_interval);

	# Whatever the site's other logs look like.
	filter$config = table_string_of_string();
	filter$config["use_json"] = "T";
	filter$config["json_timestamps"] = "JSON::TS_EPOCH";
	filter$config["json_include_unset_fields"] = "F";
	filter$config["tsv"] = "F";
	filter$config["gzip_level"] = "0";

	if ( conn_generations > 0 )
		filter$postprocessor = keep_generations;

	Log::add_filter(Conn::LOG, filter);
	}
