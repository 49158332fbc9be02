# readme_numbers.awk - the measured table of the README, from what
# `weft-stress bench ... --csv FILE` wrote, one run or several.
#
#   usage: awk -v command='...' -f readme_numbers.awk FILE...
#
# Limits, whose names say so, are no rivals.  Where none was built in, there is
# none to show.
BEGIN {
    row("counter/adds-1", "counter, 1 thread")
    row("counter/adds-8", "counter, 8 threads")
    row("counter/sums", "counter, reading it")
    row("spsc/throughput-1x1-1024", "spsc, 1 × 1, capacity 1024")
    row("spsc/pairs-1", "spsc, push and pop in one thread")
    row("ring/throughput-1x1-1024", "ring, 1 × 1, capacity 1024")
    row("ring/throughput-2x2-1024", "ring, 2 × 2, capacity 1024")
    row("ring/pairs-1", "ring, push and pop in one thread")
    row("ring/ping-pong", "ring, one item there and back")
    row("fifo/throughput-2x2-1024", "fifo, 2 × 2, 1024 under way")
    row("stack/pairs-2", "stack, push and pop in 2 threads")
    row("heap/hold-10000-2", "heap of 10000, pop and push in 2 threads")
    row("queue/throughput-1x1-1024", "blocking queue, 1 × 1, capacity 1024")
    row("queue/throughput-4x4-1024", "blocking queue, 4 × 4, capacity 1024")
    row("queue/ping-pong", "blocking queue, there and back")
    row("queue/ping-pong-one-cpu", "blocking queue, the same on one CPU")
    row("mutex/pair", "mutex, lock and unlock")
    row("mutex/short-2-2", "mutex, 50 ns in, 100 out, 2 threads")
    row("rmutex/pair", "rmutex, lock and unlock")
    row("rwlock/read-8", "rwlock, 8 readers")
    row("semaphore/pair", "semaphore, acquire and release")
    row("semaphore/two-cpus", "semaphore, there and back")
    row("event/set", "event, a wait when it is set")
    row("barrier/more-8", "barrier, 8 threads meet")
    row("thread/start", "thread, start and join")
    row("pool/fib-2", "pool, a fork and its join, 2 workers")
    row("pool/submit-2", "pool, a task that is submitted and run")
    row("pool/futures-2", "pool, the same with a future")
}
function row(table, words) { wanted[++wants] = table; reads[table] = words }
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
function end_of_table(   beside) {
    if (here in reads && weft != "") {
        beside = rival == "" ? "– | –" : sprintf("%s %s | %.2f", rival, rival_name, less ? rival / weft : weft / rival)
        lines[here] = sprintf("| %s | %s | %s%s | %s | %s |", reads[here], unit, weft, weft_name, common == "" ? "–" : common, beside)
    }
    here = weft = common = rival = ""
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
    here = f[2] "/" f[1]
    if (f[3] ~ /^weft/) {
        if (better(f[4], weft)) {
            weft = f[4]; weft_name = f[3]
            if (!sub(/^weft(_pool,)? /, " ", weft_name)) weft_name = ""
        }
    } else if (f[3] !~ /limit/ && f[4] + 0 > 0) {
        if (f[3] ~ /^(pthread|sem_t)/ && common == "") common = f[4]
        if (better(f[4], rival)) { rival = f[4]; rival_name = f[3] }
    }
}
END {
    end_of_table()
    if (bad) exit 1
    for (i = 1; i <= wants; i++)
        if (!(wanted[i] in lines)) { print "readme_numbers.awk: no table " wanted[i] " was read" > "/dev/stderr"; bad = 1 }
    if (bad) exit 1
    print fact["cpu"] ", CPUs: " fact["cpus"] ", " fact["compiler"] " " fact["flags"] "; medians; `" command "`;"
    print "the last column is how many times better Weft is than the best rival."
    print ""
    print "| what | unit | Weft | C library | best rival | ratio |"
    print "| --- | --- | ---: | ---: | ---: | ---: |"
    for (i = 1; i <= wants; i++) print lines[wanted[i]]
}
