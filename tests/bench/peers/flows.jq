# flows.jq - parsing alone: 13 fields of each flow as CSV.
select(.event_type == "flow") | [.flow_id, .src_ip, .src_port, .dest_ip, .dest_port, .proto,
  .flow.pkts_toserver, .flow.pkts_toclient, .flow.bytes_toserver, .flow.bytes_toclient,
  .flow.start, .flow.end, .flow.state] | @csv
