# Sockets that a service manager hands to a pod (socket activation).

# An activated pod: its app's port http is the host's 5009, of the machine that the test is.
t_socket_activation() {
	stage0 prepare --insecure-options=image --dir=$DATA --stage1-path=$STAGE1 --quiet --port=http:5009 $IMAGE \
		--exec=/bin/sockecho >$OUT/uuid || return 1
	sed -i '0,/"socketActivated":false/s//"socketActivated":true/' "$DATA/pods/prepared/$(uuid)/pod"
	grep -q '"socketActivated":true' "$DATA/pods/prepared/$(uuid)/pod" || { fail "$(cat "$DATA/pods/prepared/$(uuid)/pod")"; return 1; }
	# a client that comes before there is anybody, as to a socket unit
	nettest activate 5009 stage0 run-prepared --dir=$DATA --net=none "$(uuid)" >$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "the socket" nettest talk 5009
	expect "an answer" hello "$(echo hello | nettest talk 5009)" || { cat $OUT/stderr; return 1; }
	expect "10 MB there and back" "$(sha256sum <random)" "$(nettest talk 5009 <random | sha256sum)" || return 1
	for i in 1 2 3 4 5; do
		echo "client $i" | nettest talk 5009 >$OUT/client.$i &
		clients="$clients $!"
	done
	wait $clients
	expect "five clients" "client 1 client 2 client 3 client 4 client 5" "$(echo $(cat $OUT/client.*))" || return 1
	expect "the last one" quit "$(echo quit | nettest talk 5009)" || return 1
	wait $started
	expect status 0 $? && bare $OUT/stdout && expect stdout up "$(cat $OUT/stdout)" && expect stderr "" "$(cat $OUT/stderr)"
}
