# readme_numbers.awk - the measured table of the README, from what
# `weft-stress bench counter spsc ring --csv FILE` wrote.
#
#   usage: awk -v command='...' -f readme_numbers.awk FILE
function split_csv(line, out,   n, field, quoted, i, c) {
    n = 0; field = ""; quoted = 0
    sub(/\r$/, "", line)
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (quoted && c == "\"" && substr(line, i + 1, 1) == "\"") { field = field c; i++ }
        else if (c == "\"") quoted = !quoted
        else if (c == "," && !quoted) { out[++n] = field; field = "" }
        else field = field c
    }
    out[++n] = field
    return n
}
function better(new, old) {
    if (old == "") return 1
    return less ? new + 0 < old + 0 : new + 0 > old + 0
}
function reads(name, scenario,   p) {
    split(name, p, "-")
    if (p[1] == "adds")
        return "counter, " p[2] (p[2] == 1 ? " thread" : " threads")
    if (name == "sums") return "counter, reading it"
    if (name == "ping-pong") return scenario ", one item there and back"
    if (p[1] == "pairs" && p[2] == 1) return scenario ", push and pop in one thread"
    if (p[1] == "pairs") return scenario ", push and pop in " p[2] " threads"
    sub(/x/, " × ", p[2])
    if (p[1] == "bulk") return scenario ", " p[2] ", 32 at once"
    return scenario ", " p[2] ", capacity " p[3]
}
function end_of_table() {
    if (here == "") return
    lines[++count] = sprintf("| %s | %s | %s %s | %s | %s %s | %s |", reads(here, scenario), unit, weft, weft_name, mutex == "" ? "–" : mutex, rival, rival_name, best_ratio)
    here = weft = mutex = rival = ""
}
{ n = split_csv($0, f) }
f[1] == "run" { fact[f[2]] = f[3]; next }
f[1] == "table" && f[2] == "scenario" {
    end_of_table()
    unit = f[4]; sub(/^median \[/, "", unit); sub(/\]$/, "", unit)
    less = unit ~ /^(ns|us)/
    next
}
n > 8 && f[n - 1] != "" {
    if (f[n - 1] == "FAILED") { print "readme_numbers.awk: " f[1] ", " f[3] ": FAILED: " f[n] > "/dev/stderr"; bad = 1 }
    here = f[1]; scenario = f[2]
    if (f[3] ~ /^weft /) {
        if (better(f[4], weft)) { weft = f[4]; weft_name = substr(f[3], 6); best_ratio = f[8] }
    } else {
        if (f[3] ~ /^pthread mutex( ring)?$/) mutex = f[4]
        if (better(f[4], rival)) { rival = f[4]; rival_name = f[3] }
    }
}
END {
    end_of_table()
    if (count == 0) { print "readme_numbers.awk: no table was read" > "/dev/stderr"; bad = 1 }
    if (bad) exit 1
    print fact["cpu"] ", CPUs: " fact["cpus"] ", " fact["compiler"] " " fact["flags"] "; medians; `" command "`;"
    print "producers × consumers; the last column is how many times better Weft is than the best rival."
    print ""
    print "| what | unit | Weft | pthread mutex | best rival | ratio |"
    print "| --- | --- | ---: | ---: | ---: | ---: |"
    for (i = 1; i <= count; i++) print lines[i]
}
