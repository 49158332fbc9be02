#!/bin/sh
# SPDX-License-Identifier: MIT
# test_deadlock_real.sh - real programs under weft-deadlock give the output and
# the status that they give without, and nothing is said of them.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
: "${CXX:=c++}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A megabyte that can be compressed and sorted.
awk 'BEGIN { for (i = 0; i < 60000; i++) print (i * 7919) % 60013, "line", i }' \
    >"$dir/data"

# The same output with the tool and without, and no report.
same() { # COMMAND...
    status=0
    timeout 60 "$@" >"$dir/plain" 2>"$dir/plain.err" || status=$?
    watched=0
    timeout 60 ./weft-deadlock -o "$dir/report" "$@" \
        >"$dir/watched" 2>"$dir/watched.err" || watched=$?
    cat "$dir/report" "$dir/watched.err"
    echo "status $status, under the tool $watched"
    test "$status" = "$watched" && test ! -s "$dir/report" &&
        cmp "$dir/plain" "$dir/watched" && cmp "$dir/plain.err" "$dir/watched.err"
}

try() { # PROGRAM ARGUMENT...
    if command -v "$1" >/dev/null; then
        ok "$*" same "$@"
    else
        skip "$1" "it is not installed"
    fi
}

cat >"$dir/threads.py" <<'END'
import concurrent.futures, queue, threading
q = queue.Queue(10)
lock = threading.Lock()
total = [0]
def work():
    while (n := q.get()) is not None:
        with lock:
            total[0] += n
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads:
    t.start()
for n in range(5000):
    q.put(n)
for t in threads:
    q.put(None)
for t in threads:
    t.join()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(total[0], sum(pool.map(lambda n: n * n, range(1000))))
END
cat >"$dir/modern.cc" <<'END'
#include <condition_variable>
#include <future>
#include <iostream>
#include <shared_mutex>
#include <thread>
#include <vector>

int
main()
{
    std::shared_mutex m;
    std::vector<std::thread> threads;
    long total = 0;

    for (int k = 0; k < 4; k++)
        threads.emplace_back([&, k] {
            for (int i = 0; i < 20000; i++)
                if ((i + k) % 10 == 0) {
                    std::unique_lock<std::shared_mutex> writes(m);
                    total++;
                } else {
                    std::shared_lock<std::shared_mutex> reads(m);
                    if (total < 0)
                        return;
                }
        });
    for (std::thread &t : threads)
        t.join();
    std::promise<int> promise;
    std::future<int> later = promise.get_future();
    std::thread t([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        promise.set_value(5);
    });
    std::cout << total << ' ' << later.get() << '\n';
    t.join();
    return 3;
}
END

try xz -T2 --block-size=65536 -c "$dir/data"
try sort --parallel=2 -S 1M "$dir/data"
try zstd -T2 -q -c "$dir/data"
try git -C "$srcdir" --version
try git -C "$srcdir" log --oneline -n 20
try git -c grep.threads=4 -c core.pager=cat grep --no-index -c weft -- "$srcdir/doc"
try python3 "$dir/threads.py"
try ./weft-stress list
if $CXX -std=c++17 -O2 -pthread -o "$dir/modern" "$dir/modern.cc"; then
    try "$dir/modern"
else
    skip "C++ with shared mutexes" "it is not compiled here"
fi

# A server whose workers, maintenance threads and clients meet in many locks.
# Eight clients at a time; each counts, writes and reads back, then one flushes
# while others go on; it ends when it is asked to.
cat >"$dir/clients.py" <<'END'
import os, socket, sys, threading, time

path = sys.argv[1]

def call(f, text, end):
    f.write(text)
    f.flush()
    lines = []
    while True:
        line = f.readline()
        lines.append(line)
        if not line or line.split(b" ")[0].strip() in end:
            return b"".join(lines)

def connect():
    s = socket.socket(socket.AF_UNIX)
    for _ in range(600):
        try:
            s.connect(path)
            return s.makefile("rwb")
        except OSError:
            time.sleep(0.1)
    sys.exit("no server")

failed = []

def client(k):
    f = connect()
    for i in range(150):
        key, value = b"%d-%d" % (k, i), b"x" * (i * 37 % 5000)
        call(f, b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value), [b"STORED"])
        if value + b"\r\n" not in call(f, b"get %s\r\n" % key, [b"END"]):
            failed.append(key)
        call(f, b"incr total 1\r\n", [b"%d" % n for n in range(1, 1201)])
    call(f, b"lru_crawler crawl all\r\n", [b"OK", b"BUSY"])

f = connect()
call(f, b"set total 0 0 1\r\n0\r\n", [b"STORED"])
threads = [threading.Thread(target=client, args=(k,)) for k in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(call(f, b"get total\r\n", [b"END"]).split(b"\r\n")[1].decode(), failed)
call(f, b"flush_all\r\n", [b"OK"])
f.write(b"shutdown\r\n")
f.flush()
END
server() {
    : >"$dir/report"
    timeout 60 ./weft-deadlock -o "$dir/report" memcached -A -u "$(id -un)" \
        -t 4 -s "$dir/socket" >"$dir/server" 2>&1 &
    served=0
    said=$(timeout 60 python3 "$dir/clients.py" "$dir/socket") || served=$?
    wait $! || served=$?
    cat "$dir/report" "$dir/server"
    echo "status $served, said $said"
    test "$served" = 0 && test "$said" = "1200 []" && test ! -s "$dir/report"
}
if command -v memcached >/dev/null && command -v python3 >/dev/null; then
    ok "memcached under load" server
else
    skip "memcached under load" "memcached and python3 are not installed"
fi

# A web server that reads its files in a pool of threads, to eight clients who
# compare all bytes; it ends when the last request has been answered.
cat >"$dir/nginx.conf" <<END
daemon off;
master_process off;
pid $dir/nginx.pid;
thread_pool default threads=8 max_queue=1000;
events { worker_connections 256; }
http {
    access_log off;
    aio threads;
    sendfile off;
    output_buffers 1 32k;
    client_body_temp_path $dir;
    proxy_temp_path $dir;
    fastcgi_temp_path $dir;
    uwsgi_temp_path $dir;
    scgi_temp_path $dir;
    server { listen unix:$dir/web; root $dir; }
}
END
cat >"$dir/readers.py" <<'END'
import http.client, socket, sys, threading, time

folder = sys.argv[1]
wanted = open(folder + "/data", "rb").read()

class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        for _ in range(600):
            try:
                return self.sock.connect(folder + "/web")
            except OSError:
                time.sleep(0.1)
        sys.exit("no server")

same = []

def reader(k):
    c = Local("x")
    for i in range(20):
        first = (k * 20 + i) * 4000
        c.request("GET", "/data", headers={"Range": "bytes=%d-" % first})
        same.append(c.getresponse().read() == wanted[first:])

threads = [threading.Thread(target=reader, args=(k,)) for k in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(same), all(same))
END
nginx_pool() {
    : >"$dir/report"
    timeout 60 ./weft-deadlock -o "$dir/report" nginx -e stderr -p "$dir" \
        -c "$dir/nginx.conf" >"$dir/server" 2>&1 &
    served=0
    said=$(timeout 60 python3 "$dir/readers.py" "$dir") || served=$?
    kill -QUIT "$(cat "$dir/nginx.pid")"
    wait $! || served=$?
    cat "$dir/report" "$dir/server"
    echo "status $served, said $said"
    test "$served" = 0 && test "$said" = "160 True" && test ! -s "$dir/report"
}
if command -v nginx >/dev/null && command -v python3 >/dev/null; then
    ok "nginx with a thread pool under load" nginx_pool
else
    skip "nginx with a thread pool" "nginx and python3 are not installed"
fi

# A server whose main thread shares reading and writing with others.
redis_threads() {
    : >"$dir/report"
    timeout 60 ./weft-deadlock -o "$dir/report" redis-server --port 0 \
        --unixsocket "$dir/redis" --io-threads 3 --io-threads-do-reads yes \
        --save '' --dir "$dir" >"$dir/server" 2>&1 &
    served=0
    patience=600
    until redis-cli -s "$dir/redis" ping 2>/dev/null | grep -q PONG; do
        [ $((patience -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
    timeout 60 redis-benchmark -s "$dir/redis" -q -n 2000 -c 30 -P 16 \
        -t set,get,incr,lpush,lrange_100 >"$dir/load" 2>&1 || served=$?
    said=$(redis-cli -s "$dir/redis" get counter:__rand_int__)
    redis-cli -s "$dir/redis" flushall async
    redis-cli -s "$dir/redis" shutdown nosave
    wait $! || served=$?
    cat "$dir/report" "$dir/server"
    echo "status $served, said $said"
    test "$served" = 0 && test "$said" = 2000 && test ! -s "$dir/report"
}
if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null
then
    ok "redis with io-threads under load" redis_threads
else
    skip "redis with io-threads" "redis-server is not installed"
fi

# GStreamer hands buffers through queues, each with a thread of its own; of GLib.
try gst-launch-1.0 -q filesrc "location=$dir/data" blocksize=1000 ! queue \
    ! tee name=t ! queue ! identity ! queue ! filesink "location=/dev/stdout" \
    t. ! queue max-size-buffers=2 ! fakesink sync=false

# The locks, tasks and barriers of libgomp are futexes of its own.
cat >"$dir/openmp.c" <<'END'
#include <omp.h>
#include <stdio.h>
int
main(void)
{
    long total = 0, sum = 0;
    omp_lock_t lock;
    omp_init_lock(&lock);
    for (int k = 0; k < 20; k++) {
#pragma omp parallel for reduction(+ : sum) schedule(dynamic, 10)
        for (int i = 0; i < 1000; i++)
            sum += i;
#pragma omp parallel num_threads(4)
        {
            omp_set_lock(&lock);
            total++;
            omp_unset_lock(&lock);
#pragma omp critical
            total++;
#pragma omp barrier
#pragma omp single
            for (int i = 0; i < 50; i++)
#pragma omp task shared(total)
                __atomic_fetch_add(&total, 1, __ATOMIC_RELAXED);
        }
    }
    printf("%ld %ld\n", total, sum);
    return 4;
}
END
openmp() { # the compiler of the build may have no OpenMP
    for compiler in "${CC:-cc}" gcc; do
        $compiler -O2 -fopenmp -o "$dir/openmp" "$dir/openmp.c" \
            2>/dev/null && return 0
    done
    return 1
}
if openmp; then
    try "$dir/openmp"
else
    skip "a program with OpenMP" "it is not compiled here"
fi

# oneTBB, whose arenas put threads to sleep and wake them in many ways.
cat >"$dir/tbb.cc" <<'END'
#include <tbb/concurrent_hash_map.h>
#include <tbb/concurrent_queue.h>
#include <tbb/parallel_for.h>
#include <tbb/queuing_mutex.h>
#include <tbb/spin_rw_mutex.h>
#include <cstdio>
#include <thread>
int
main()
{
    tbb::concurrent_hash_map<int, int> map;
    tbb::parallel_for(0, 10000, [&](int i) {
        tbb::concurrent_hash_map<int, int>::accessor a;
        map.insert(a, i % 97);
        a->second += i;
    });
    long sum = 0;
    for (auto &k : map)
        sum += k.second;
    tbb::concurrent_bounded_queue<int> queue;
    queue.set_capacity(10);
    std::thread producer([&] {
        for (int i = 2000; i >= 0; i--)
            queue.push(i);
    });
    int item = 1;
    while (item > 0) {
        queue.pop(item);
        sum += item;
    }
    producer.join();
    tbb::spin_rw_mutex outer;
    tbb::queuing_mutex inner;
    long count = 0;
    tbb::parallel_for(0, 10000, [&](int) {
        tbb::spin_rw_mutex::scoped_lock a(outer, true);
        tbb::queuing_mutex::scoped_lock b(inner);
        count++;
    });
    std::printf("%ld %ld\n", sum, count);
    return 5;
}
END
if $CXX -std=c++17 -O0 -pthread -o "$dir/tbb" "$dir/tbb.cc" -ltbb 2>/dev/null
then
    try "$dir/tbb"
else
    skip "a program with oneTBB" "it is not compiled here"
fi

# liburcu, Concurrency Kit, GLib and Weft's own in the harness.
rivals() { # ARGUMENT...: a run of weft-stress that ends well, and no report
    : >"$dir/report"
    timeout 100 ./weft-deadlock -o "$dir/report" ./weft-stress "$@" \
        >"$dir/stress" 2>&1 || {
        cat "$dir/report" "$dir/stress"
        return 1
    }
    cat "$dir/report"
    test ! -s "$dir/report"
}
tour() {
    timeout 100 ./weft-deadlock -o "$dir/report" \
        ./weft-stress tour --duration=5ms >"$dir/tour" 2>&1 || return 1
    cat "$dir/report"
    test ! -s "$dir/report"
}
ok "weft-stress tour" tour
for bench in ring fifo rwlock cond; do
    ok "weft-stress bench $bench, with rivals" rivals bench "$bench" \
        --duration=5ms --rounds=1 --threads=2
done

tap_end
