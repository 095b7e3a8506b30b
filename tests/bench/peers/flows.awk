# flows.awk - extraction without parsing: fields by pattern, nothing checked.
function field(name,    at) {
    at = index($0, "\"" name "\":")
    if (at == 0)
        return ""
    rest = substr($0, at + length(name) + 3, 64)
    match(rest, /^"?[^",}]*/)
    value = substr(rest, 1, RLENGTH)
    return substr(value, 1, 1) == "\"" ? substr(value, 2) : value
}
/"event_type":"flow"/ {
    print field("flow_id") "," field("src_ip") "," field("dest_ip") "," field("dest_port") "," field("proto") "," \
        field("pkts_toserver") "," field("pkts_toclient") "," field("bytes_toserver") "," field("bytes_toclient") "," \
        field("start") "," field("end") "," field("state")
}
