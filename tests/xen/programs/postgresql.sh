# PostgreSQL: transactions, and recovery after its processes were killed.

PG=/var/lib/postgresql/test
mkdir -p /run/postgresql && chown postgres /run/postgresql
as() { (cd / && exec runuser -u postgres -- "$@"); }
sql() { as psql -X -A -t -v ON_ERROR_STOP=1 -d postgres "$@"; }
begin() { as pg_ctl -D $PG -w -t 150 -l $PG.log -o "-c listen_addresses='' -c shared_buffers=16MB" start; }
end() { as pg_ctl -D $PG -w -t 150 -m fast stop; }

makes() { as initdb -D $PG --data-checksums --auth=trust --no-instructions && begin; }
works() {
	as pgbench -i -q -s 1 postgres && as pgbench -n -c 4 -t 40 postgres && same 160 "$(sql -c 'select count(*) from pgbench_history')"
}
# the three sums and the history's are equal when each transaction was done whole or not at all
sums() {
	sql -c "select (select sum(abalance) from pgbench_accounts) = (select sum(tbalance) from pgbench_tellers)
		and (select sum(bbalance) from pgbench_branches) = (select sum(tbalance) from pgbench_tellers)
		and (select coalesce(sum(delta), 0) from pgbench_history) = (select sum(tbalance) from pgbench_tellers)"
}
recovers() {
	sql -c 'create table said (n int primary key)' || return 1
	(
		n=0
		while n=$((n + 1)) && sql -q -c "insert into said values ($n)"; do echo $n >>/tmp/said; done
	) >/dev/null 2>&1 &
	as pgbench -n -c 4 -T 300 postgres >/dev/null 2>&1 &
	wait_for 120 at_least 8 /tmp/said || return 1
	kill -9 $(head -n 1 $PG/postmaster.pid)
	wait
	last=$(tail -n 1 /tmp/said)
	begin || { tail -n 20 $PG.log; return 1; }
	grep 'automatic recovery in progress' $PG.log && same t "$(sums)" &&
		sql -c "do \$\$ begin if (select count(*) from generate_series(1, $last) g left join said on n = g where n is null) > 0
			then raise 'acknowledged rows are lost'; end if; end \$\$"
}
is_sound() {
	sql -c 'vacuum full' && sql -c 'reindex database postgres' && as pg_dumpall -f $PG.dump && end && as pg_checksums --check -D $PG
}
check "initdb, start" makes
check "pgbench" works
check "recovery after kill -9 of the postmaster: nothing acknowledged is lost" recovers
check "vacuum, reindex, dump, checksums" is_sound
