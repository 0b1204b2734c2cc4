# SQLite with a write-ahead log: its index is memory shared by all processes, mapped from a file.

DB=/var/sqlite/db
sql() { sqlite3 -batch -bail -cmd '.timeout 60000' $DB "$1"; }
makes() {
	mkdir -p /var/sqlite && same wal "$(sql 'pragma journal_mode=wal')" &&
		sql 'create table t (writer int, n int, v text, primary key (writer, n)); create index v on t (v)'
}
writer() { # NUMBER COUNT
	n=0
	while [ $n -lt $2 ]; do
		n=$((n + 1))
		sql "pragma synchronous=full; begin immediate; insert into t values ($1, $n, hex(randomblob(200))); commit" || return 1
		echo $n >>$DB.said-$1
	done
}
at_once() {
	for w in 1 2 3 4; do
		writer $w 8 &
		eval "p$w=$!"
	done
	wait $p1 && wait $p2 && wait $p3 && wait $p4 && same 32 "$(sql 'select count(*) from t')" && same ok "$(sql 'pragma integrity_check')"
}
# one long connection that holds the shared memory, another that is killed in the middle
survives() {
	for turn in 1 2; do
		for w in 5 6; do
			(writer $((turn * 10 + w)) 1000) 2>/dev/null &
			eval "p$w=$!"
		done
		(
			i=0
			while [ $i -lt 5000 ]; do i=$((i + 1)); echo "insert into t values ($((turn * 10)), $i, hex(randomblob(300)));"; done
		) | sqlite3 -batch -cmd '.timeout 60000' $DB 2>/dev/null &
		long=$!
		wait_for 60 at_least 3 $DB.said-$((turn * 10 + 5)) || return 1
		kill -9 $p5 $p6 $long
		pkill -9 sqlite3
		wait
		same ok "$(sql 'pragma integrity_check')" || return 1
		for w in 5 6; do
			said=$(tail -n 1 $DB.said-$((turn * 10 + w)) 2>/dev/null || echo 0)
			[ "$(sql "select count(*) from t where writer = $((turn * 10 + w))")" -ge "${said:-0}" ] || { echo "rows are lost"; return 1; }
		done
	done
}
other_modes() {
	same 0 "$(sql 'pragma wal_checkpoint(truncate)' | cut -d '|' -f 1)" && sql vacuum && same delete "$(sql 'pragma journal_mode=delete')" &&
		same truncate "$(sql 'pragma journal_mode=truncate')" && sql 'pragma mmap_size=67108864; delete from t where n % 2; vacuum' &&
		same ok "$(sql 'pragma integrity_check')"
}
check "a database with a write-ahead log" makes
check "four writers at once" at_once
check "writers killed: sound, nothing acknowledged is lost" survives
check "checkpoint, vacuum, other journals, mmap" other_modes
