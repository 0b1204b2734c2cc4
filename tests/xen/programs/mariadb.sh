# MariaDB: InnoDB with asynchronous I/O and O_DIRECT, and recovery after it was killed.

MY=/var/lib/mysql-test
SOCK=/run/mysqld/test.sock
sql() { mariadb --no-defaults -S $SOCK -u root -N -B -e "$1" test; }
begin() {
	mariadbd --no-defaults --user=mysql --datadir=$MY --socket=$SOCK --skip-networking --innodb-buffer-pool-size=32M \
		--innodb-log-file-size=16M --innodb-use-native-aio=1 --innodb-flush-method=O_DIRECT --innodb-flush-log-at-trx-commit=1 \
		--performance-schema=0 --log-error=$MY/server.err --pid-file=$MY/server.pid --skip-name-resolve &
	server=$!
	wait_for 150 sh -c "! kill -0 $server || mariadb-admin --no-defaults -S $SOCK -u root ping" && kill -0 $server || { tail -n 30 $MY/server.err; return 1; }
}
makes() {
	mkdir -p /run/mysqld && chown mysql /run/mysqld
	mariadb-install-db --no-defaults --user=mysql --datadir=$MY --auth-root-authentication-method=normal --skip-test-db \
		--innodb-log-file-size=16M --innodb-buffer-pool-size=32M && begin &&
		mariadb --no-defaults -S $SOCK -u root -e 'create database test'
}
works() {
	sql 'create table t (id int auto_increment primary key, grp int, v varchar(200), key (grp)) engine=innodb' || return 1
	sql "insert into t (grp, v) select seq % 10, repeat(char(65 + seq % 26), 150) from seq_1_to_20000" &&
		sql 'update t set v = reverse(concat(v, id)) where grp < 5; delete from t where grp = 9' &&
		sql 'create index vs on t (v(20)); alter table t add column w int default 7, algorithm=copy' &&
		same 18000 "$(sql 'select count(*) from t where w = 7')"
}
recovers() {
	sql 'create table said (n int primary key) engine=innodb' || return 1
	(
		n=0
		while n=$((n + 1)) && sql "insert into said values ($n)"; do echo $n >>/tmp/said-my; done
	) >/dev/null 2>&1 &
	(while sql 'update t set grp = grp + 1 where id % 7 = 3'; do :; done) >/dev/null 2>&1 &
	wait_for 120 at_least 8 /tmp/said-my || return 1
	kill -9 $(cat $MY/server.pid)
	wait
	last=$(tail -n 1 /tmp/said-my)
	begin && grep -i 'crash recovery' $MY/server.err && same $last "$(sql "select count(*) from said where n <= $last")" &&
		same "test.t	check	status	OK" "$(sql 'check table t extended')" && same 18000 "$(sql 'select count(*) from t')"
}
ends() { mariadb-admin --no-defaults -S $SOCK -u root shutdown && wait_for 100 sh -c "! [ -e $MY/server.pid ]" && innochecksum $MY/test/t.ibd $MY/test/said.ibd; }
check "mariadb-install-db, start" makes
check "tables, indexes, a copied table" works
check "recovery after kill -9: nothing acknowledged is lost" recovers
check "shutdown, checksums" ends
