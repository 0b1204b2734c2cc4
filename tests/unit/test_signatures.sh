#!/bin/sh
# Signatures of images, by keys made here: who is trusted for what as rkt's keystore has it, and what does
# not run. stage0 run goes as far as the exec of a stage1 that ends with 7. Needs root, and no Xen. TAP.
# usage: test_signatures.sh [BUILD]
set -u
build=$(realpath "${1:-${BUILD:-build}}")
dir=$(mktemp -d)
n=0
export GNUPGHOME="$dir/gpg"
trap 'gpgconf --kill all 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
fail() { echo "not ok $((n + 1)) - $*"; exit 1; }
ok() { n=$((n + 1)); echo "ok $n - $*"; } # what was looked at since the last one
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }
[ "$(id -u)" = 0 ] || { echo "ok 1 # SKIP needs root"; echo "1..1"; exit 0; }

# --- images
labels='"labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}]'
image() { # FILE NAME [MEMBERS]
	echo "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"$2\",$labels${3:-}}" >m
	"$build/pack" --format=aci "$1" manifest=m rootfs/init=init:0755 rootfs/etc/
}
printf '#!/bin/sh\nexit 7\n' >init
app=',"app":{"exec":["/bin/x"],"user":"0","group":"0"}'
image s1.aci test.org/stage1 ',"annotations":[{"name":"coreos.com/rkt/stage1/run","value":"/init"}]'
image web.aci example.com/web "$app"
image website.aci example.com/website "$app"
image deep.aci example.com/web/deep "$app"

# --- keys
mkdir -m 700 gpg
gpg() { command gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' "$@" 2>gpg.log || fail "gpg $*: $(cat gpg.log)"; }
new_key() { # USER ALGORITHM [OPTIONS] -- its armored public key is USER.pub, its fingerprint in USER.fpr
	user=$1 algo=$2; shift 2
	gpg "$@" --quick-generate-key "$user" "$algo" sign "${expire:-never}"
	gpg --armor --export "$user" >"$user.pub"
	gpg --with-colons --list-keys "$user" | awk -F: '$1 == "fpr" { print tolower($10); exit }' >"$user.fpr"
}
sign() { # USER FILE [OPTIONS]
	user=$1 file=$2; shift 2
	rm -f "$file.asc"
	gpg --armor --detach-sign --local-user "$user" "$@" --output "$file.asc" "$file"
}
new_key alice ed25519
new_key bob rsa2048
new_key mallory ed25519
expire=1d new_key old ed25519 --faked-system-time 20200101T000000

# --- running
run() { # IMAGE [FLAGS]: its status and stderr are left behind
	rm -rf data
	${within-} "$build/stage0/stage0" run --no-overlay --dir=data --local-config=etc --system-config=lib --stage1-path=s1.aci "$@" >stdout 2>stderr
	status=$?
}
runs() { run "$@"; same "$* ($(cat stderr))" 7 $status; }
refused() { # MESSAGE IMAGE [FLAGS]
	want=$1; shift
	run "$@"
	same "message of $*" "stage0: image $want" "$(cat stderr)"
	same "status of $*" 254 $status
	same "left by $*" "" "$(find data -mindepth 3 2>/dev/null)"
}
trust() { "$build/stage0/stage0" trust --local-config=etc "$@" >trust.out 2>&1 || fail "trust $*: $(cat trust.out)"; }
forget() { rm -rf etc lib; }

runs web.aci --insecure-options=image
runs web.aci --insecure-options=all-fetch
runs web.aci --insecure-options=all
refused "s1.aci: no signature s1.aci.asc: sign it, or use --insecure-options=image" web.aci
refused "s1.aci: no signature s1.aci.asc: sign it, or use --insecure-options=image" web.aci --insecure-options=all-run
sign alice s1.aci
refused "s1.aci: no key is trusted for 'test.org/stage1': add one with stage0 trust, or use --insecure-options=image" web.aci
trust --prefix=test.org/stage1 alice.pub
refused "web.aci: no signature web.aci.asc: sign it, or use --insecure-options=image" web.aci
sign alice web.aci
refused "web.aci: no key is trusted for 'example.com/web': add one with stage0 trust, or use --insecure-options=image" web.aci
ok "what is not signed, or by nobody known, does not run"

trust --root alice.pub
same "what trust says" "etc/trustedkeys/root.d/$(cat alice.fpr)" "$(cat trust.out)"
runs web.aci
"$build/stage0/stage0" plan --local-config=etc --system-config=lib web.aci >stdout 2>stderr || fail "plan"
same "plan's warnings" "" "$(grep signature stderr)"
sign bob web.aci
refused "web.aci: signature web.aci.asc: by a key that is not trusted" web.aci
"$build/stage0/stage0" plan --local-config=etc --system-config=lib web.aci >stdout 2>stderr || fail "plan"
same "plan's warning" "stage0: warning: run would refuse: image web.aci: signature web.aci.asc: by a key that is not trusted" \
	"$(grep signature stderr)"
trust --root bob.pub
runs web.aci
gpg --detach-sign --local-user bob --output web.aci.sig web.aci
mv web.aci.sig web.aci.asc
runs web.aci
ok "keys for all images; armored signatures and others"

forget
trust --root alice.pub
sign alice web.aci
# a trust that is killed within the key
prlimit --core=0 --fsize=100 "$build/stage0/stage0" trust --local-config=etc --root bob.pub >trust.out 2>&1
same "status of one that was killed" 153 $? # by XFSZ
runs web.aci
trust --root bob.pub
same "the keys" "$(sort alice.fpr bob.fpr)" "$(ls etc/trustedkeys/root.d)"
same "their mode" 644 "$(stat -c %a etc/trustedkeys/root.d/"$(cat bob.fpr)")"
sign bob web.aci
runs web.aci
ok "a trust that was killed leaves the other keys good"

forget
trust --root alice.pub
trust --prefix=example.com/web bob.pub
for i in web website deep; do sign bob $i.aci; done
runs web.aci
runs deep.aci
refused "website.aci: signature website.aci.asc: by a key that is not trusted" website.aci
forget
mkdir -p lib/trustedkeys/root.d lib/trustedkeys/prefix.d/example.com
cp alice.pub lib/trustedkeys/root.d/"$(cat alice.fpr)"
cp bob.pub lib/trustedkeys/prefix.d/example.com/"$(cat bob.fpr)"
runs website.aci
mkdir -p etc/trustedkeys/prefix.d/example.com/web etc/trustedkeys/root.d
: >etc/trustedkeys/prefix.d/example.com/web/"$(cat bob.fpr)"
runs website.aci
refused "deep.aci: signature deep.aci.asc: by a key that is not trusted" deep.aci
: >etc/trustedkeys/root.d/"$(cat alice.fpr)"
refused "s1.aci: no key is trusted for 'test.org/stage1': add one with stage0 trust, or use --insecure-options=image" web.aci
ok "keys for some images, the system's, and empty files that take trust away"

forget
trust --root alice.pub
mkdir -p etc/trustedkeys/root.d
cp mallory.pub etc/trustedkeys/root.d/"$(cat bob.fpr)"
refused "s1.aci: etc/trustedkeys/root.d/$(cat bob.fpr): the key in it has the fingerprint $(cat mallory.fpr)" web.aci
echo nonsense >etc/trustedkeys/root.d/"$(cat bob.fpr)"
refused "s1.aci: etc/trustedkeys/root.d/$(cat bob.fpr): no PGP PUBLIC KEY BLOCK in it" web.aci
# of several keys in a file only the first is the one it is named after
cat alice.pub mallory.pub >two.pub
gpg --armor --export alice mallory >both.pub
forget
mkdir -p etc/trustedkeys/root.d
cp both.pub etc/trustedkeys/root.d/"$(cat alice.fpr)"
sign alice web.aci
runs web.aci
sign mallory web.aci
refused "web.aci: signature web.aci.asc: by a key that is not trusted" web.aci
ok "a key is the one its file is named after"

forget
trust --root alice.pub
sign alice web.aci
cp web.aci good.aci
printf X | dd of=web.aci bs=1 seek=2000 conv=notrunc 2>/dev/null
refused "web.aci: signature web.aci.asc: not of this file: one of the two was changed" web.aci
cp good.aci web.aci
sign alice deep.aci
cp deep.aci.asc web.aci.asc
refused "web.aci: signature web.aci.asc: not of this file: one of the two was changed" web.aci
rm -f web.aci.asc
gpg --armor --sign --local-user alice --output web.aci.asc web.aci # a whole message, with a file in it
refused "web.aci: signature web.aci.asc: no PGP SIGNATURE in it" web.aci
gpg --dearmor <web.aci.asc >message
cp message web.aci.asc
refused "web.aci: signature web.aci.asc: not a detached signature" web.aci
: >web.aci.asc
refused "web.aci: signature web.aci.asc: no PGP SIGNATURE in it" web.aci
sign mallory web.aci
cp web.aci.asc one
sign alice web.aci
# of two one is enough, wherever it stands
{ gpg --dearmor <one; gpg --dearmor <web.aci.asc; } >two
cp two web.aci.asc
runs web.aci
ok "a signature of something else, no signature at all, two"

trust --root old.pub
sign old web.aci --faked-system-time 20200101T010000
refused "web.aci: signature web.aci.asc: by a key that has expired" web.aci
sign alice web.aci
runs web.aci
printf 'y\n0\n\ny\n' | command gpg --no-tty --command-fd 0 --pinentry-mode loopback --passphrase '' --gen-revoke alice >revoke.asc 2>gpg.log ||
	fail "gpg --gen-revoke: $(cat gpg.log)"
gpg --import revoke.asc
gpg --armor --export alice >etc/trustedkeys/root.d/"$(cat alice.fpr)"
refused "s1.aci: signature s1.aci.asc: by a key that was revoked" web.aci
ok "keys that have expired or were revoked"

forget
new_key carol ed25519
gpg --quick-add-key "$(cat carol.fpr)" rsa2048 sign
gpg --armor --export carol >carol.pub
trust --root carol.pub
sign carol s1.aci
sign carol web.aci
runs web.aci
ok "a key that signs by another one of its own"

# --- OCI: an archive as any file; of a directory its index.json
python3 - <<'END'
import hashlib, io, json, os, tarfile
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w") as tar:
    tar.addfile(tarfile.TarInfo("x"))
layer = out.getvalue()
def put(data):
    name = hashlib.sha256(data).hexdigest()
    os.makedirs("layout/blobs/sha256", exist_ok=True)
    open("layout/blobs/sha256/" + name, "wb").write(data)
    return {"digest": "sha256:" + name, "size": len(data), "mediaType": "application/vnd.oci.image.layer.v1.tar"}
config = put(json.dumps({"os": "linux", "architecture": "amd64", "config": {"Cmd": ["/x"]},
    "rootfs": {"diff_ids": [put(layer)["digest"]]}}).encode())
manifest = put(json.dumps({"config": config, "layers": [put(layer)]}).encode())
open("layout/oci-layout", "w").write("{}")
json.dump({"manifests": [manifest]}, open("layout/index.json", "w"))
END
tar -C layout -cf layout.tar .
refused "layout: no signature layout/index.json.asc: sign it, or use --insecure-options=image" layout
refused "layout.tar: no signature layout.tar.asc: sign it, or use --insecure-options=image" layout.tar
sign carol layout/index.json
sign carol layout.tar
runs layout
runs layout.tar
echo >>layout/index.json
refused "layout: signature layout/index.json.asc: not of this file: one of the two was changed" layout
ok "OCI images"

# --- what its owner, or another who may write it, changes while it is read: as gpgv is at the second image, the app's
cp /usr/bin/gpgv gpgv.real
cat >gpgv.meddled <<'END'
#!/bin/sh
echo >>calls
[ "$(wc -l <calls)" = 2 ] || exec ./gpgv.real "$@"
[ ! -e before ] || cat before >"$(readlink target)"
./gpgv.real "$@"
status=$?
[ ! -e after ] || cat after >"$(readlink target)"
exit $status
END
cat >meddled <<'END'
#!/bin/sh
exec unshare -m --propagation private sh -c 'mount --bind gpgv.meddled /usr/bin/gpgv && exec "$@"' sh "$@"
END
chmod 755 gpgv.meddled meddled
image web.aci example.com/web "$app"
sign carol web.aci
cp web.aci good.aci
mv init init.good; echo evil >init; image after example.com/web "$app"; mv init.good init
ln -s web.aci target
within=./meddled
for may in "chown 65534" "chown 65534:65534" "chmod g+w" "chmod o+w"; do
	rm -f calls; cp good.aci web.aci; chown 0:0 web.aci; chmod 644 web.aci; $may web.aci
	runs web.aci
	same "calls of gpgv" 2 "$(wc -l <calls)"
	cmp -s after web.aci || fail "it was not changed"
	same "what runs after $may" "$(cat init)" "$(cat data/pods/run/*/stage1/rootfs/opt/stage2/web/rootfs/init)"
done
tar -C layout -czf before .
cp before layout.tar.gz; sign carol layout.tar.gz
touch layout/more; tar -C layout -czf layout.tar.gz .; rm layout/more
chown 65534 layout.tar.gz
rm -f after calls; ln -sfn layout.tar.gz target
refused "layout.tar.gz: signature layout.tar.gz.asc: not of this file: one of the two was changed" layout.tar.gz
cmp -s before layout.tar.gz || fail "it was not changed"
within=
cp good.aci web.aci; chown 0:0 web.aci; chmod 644 web.aci
export TMPDIR=/nonexistent
runs web.aci # only root can write it
chown 65534 web.aci
refused "web.aci: make a temporary file in /nonexistent (see TMPDIR): No such file or directory" web.aci
runs web.aci --insecure-options=image
unset TMPDIR
ok "what others may write is what was checked, or does not run"

bad_trust() { # MESSAGE FLAGS...
	want=$1; shift
	if "$build/stage0/stage0" trust --local-config=etc "$@" >trust.out 2>&1; then fail "trusted $*"; fi
	same "message of trust $*" "stage0: $want" "$(cat trust.out)"
}
forget
bad_trust "trust: for which images: --prefix=NAME or --root?" alice.pub
bad_trust "trust: for which images: --prefix=NAME or --root?" --root --prefix=x alice.pub
bad_trust "--prefix: '../x' is not a name for an image" --prefix=../x alice.pub
bad_trust "trust: no key given" --root
bad_trust "key m: no PGP PUBLIC KEY BLOCK in it" --root m
gpg --export alice >binary.pub
bad_trust "key binary.pub: not armored: export it with gpg --armor" --root binary.pub
gpg --armor --export-secret-keys carol >secret.pub
bad_trust "key secret.pub: no PGP PUBLIC KEY BLOCK in it" --root secret.pub
[ ! -e etc ] || fail "something was trusted"
ok "what cannot be trusted"
echo "1..$n"
