# SPDX-License-Identifier: MIT
# Every memory order but relaxed names its edge; every edge is declared and has
# both ends; no atomic without an explicit order.  awk -f check_orders.awk FILE...
function fail(where, what) { print where ": " what; bad = 1 }
function ends(edges, where,   e) {
    for (e in edges)
        if (edges[e] != 3)
            fail(where, "edge '" e "' has no " (edges[e] == 1 ? "acquire" : "release"))
}
function add(edges, e, bits) {
    if (bits != 2 && edges[e] % 2 == 0) edges[e] += 1    # a release end
    if (bits != 1 && edges[e] < 2) edges[e] += 2         # an acquire end
}
function end_of_file(   e) {
    for (e in used)
        if (!(e in declared)) fail(file, "edge '" e "' is not in the Ordering block")
    ends(local, file)
    split("", used); split("", declared); split("", local); note = ""
}
FNR == 1 { if (NR > 1) end_of_file(); file = FILENAME }
/^ \*     [a-z_.]+ .*->/ { declared[$2] = 1 }
/^ *\/[*]/ && !/[*]\/ *[^ ]/ { note = $0; next }  # a comment starts,
/^ *[*] / || /^ *[*]\// { note = note " " $0; next } # and goes on
{
    code = $0; gsub(/\/[*]([^*]|[*][^\/])*[*]\//, "", code); sub(/\/[*].*/, "", code)
    if (match($0, /\/[*].*/)) note = note " " substr($0, RSTART)
    if (code ~ /atomic_[a-z_]+\(/ && code !~ /atomic_(init|is_lock_free|[a-z_]*_explicit|thread_fence|signal_fence)\(/)
        fail(FILENAME ":" FNR, "atomic without an explicit order")
    if (code ~ /memory_order_(acquire|release|acq_rel|seq_cst)/) {
        if (!match(note, /\/[*] (acquire|release|acq_rel|seq_cst): /))
            fail(FILENAME ":" FNR, "order without '/* order: edge */'")
        else {
            kind = substr(note, RSTART + 3, RLENGTH - 5)
            list = substr(note, RSTART + RLENGTH)
            sub(/( *[*]\/|[.] ).*/, "", list); gsub(/ *\([^)]*\)/, "", list)
            n = split(list, edge, / *, */)
            for (i = 1; i <= n; i++) {
                used[edge[i]] = 1
                bits = kind == "release" ? 1 : kind == "acquire" ? 2 : 3
                if (index(edge[i], ".")) add(global, edge[i], bits)
                else add(local, edge[i], bits)
            }
        }
    }
    if (code ~ /[;{}] *$/) note = ""          # a note covers one statement
}
END { end_of_file(); ends(global, "all files"); exit bad }
