#!/bin/sh
# Images that real tools write, run by stage0 up to its stage1, which here lists what it was given: layouts
# by umoci (layers with changes, whiteouts, a whole directory replaced), and by skopeo the same as an archive
# of a layout, as what docker saves, with other compression. The roots must be equal. Writes TAP.
set -eu
stage0=$(realpath "${BUILD:-build}/stage0/stage0")
pack=$(realpath "${BUILD:-build}/pack")
dir=$(mktemp -d)
n=0
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME="$dir" TMPDIR="$dir"
fail() { echo "not ok $((n + 1)) - $*"; exit 1; }
ok() { n=$((n + 1)); echo "ok $n - $*"; } # what was looked at since the last one
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }
skopeo() { command skopeo --insecure-policy "$@" >skopeo.log 2>&1 || fail "skopeo $*: $(cat skopeo.log)"; }
umoci() { command umoci --log=warn "$@" >umoci.log 2>&1 || fail "umoci $*: $(cat umoci.log)"; }

# --- a stage1 that lists the app's root, its owners, modes and times, and the pod manifest
cat >s1.json <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"test/stage1","annotations":[
 {"name":"coreos.com/rkt/stage1/run","value":"/run"},
 {"name":"coreos.com/rkt/stage1/interface-version","value":"6"}]}
END
cat >s1.run <<'END'
#!/bin/sh
cd stage1/rootfs/opt/stage2/*/rootfs || exit 99
find . -mindepth 1 ! -path ./etc/mtab ! -path ./etc -printf '%P %y %m %U:%G %n %l ' \
	\( -type f -printf '%TY-%Tm-%Td ' -exec cksum {} + -o -printf '\n' \) | sort
exec cat ../../../../../../pod >&2
END
"$pack" --format=aci s1.aci manifest=s1.json rootfs/run=s1.run:0755
run() { # IMAGE [FLAGS]: what the app's root is, and its manifest in pod.json
	image=$1; shift
	"$stage0" run --no-overlay --insecure-options=image --dir="$dir/data" --stage1-path=s1.aci "$image" "$@" 2>pod.json ||
		fail "$image: $(cat pod.json)"
	rm -rf data
}
manifest() { python3 -c 'import json, sys; a = json.load(open("pod.json"))["apps"][0]; print(eval(sys.argv[1]))' "$1"; }

# --- an image of three layers, by umoci
change() { # TAG: from what it is, with changes made by the commands on stdin
	rm -rf bundle
	umoci unpack --image "layout:$1" bundle
	(cd bundle/rootfs && . /dev/stdin)
	umoci repack --image "layout:$2" bundle
}
umoci init --layout layout
umoci new --image layout:empty
change empty one <<'END'
mkdir -p bin etc/app usr/lib var/log/deep/er opt/old dev
echo program >bin/app; chmod 4755 bin/app; ln bin/app bin/hard
ln -s usr/lib lib; echo lib >usr/lib/l; echo conf >etc/app/conf; echo no >etc/app/gone
echo x >var/log/deep/er/x; echo old >opt/old/file; mkfifo -m 600 etc/fifo
chown 7:8 etc/app/conf; mkdir -m 1777 tmp; touch -d 2001-02-03 etc/app/conf
ln -s nowhere dangling; echo 'ümlaut' >'etc/näme with space'
END
change one two <<'END'
rm etc/app/gone; rm -r var/log/deep; echo new >>etc/app/conf; echo more >usr/lib/more
rm -r opt/old; echo 'a file now' >opt/old
rm lib; mkdir lib; echo dir >lib/x; ln bin/app usr/hard3
END
change two three <<'END'
rm opt/old; mkdir opt/old; echo again >opt/old/file; rm dangling; mkdir -p var/log/deep/new
END
umoci config --image layout:three --config.entrypoint /bin/app --config.cmd 'a b' --config.cmd -x \
	--config.user 7:8 --config.env A=1 --config.workingdir /opt --config.exposedports 80/tcp --architecture amd64
want=$(cd bundle/rootfs && find . -mindepth 1 ! -path ./etc -printf '%P %y %m %U:%G %n %l ' \
	\( -type f -printf '%TY-%Tm-%Td ' -exec cksum {} + -o -printf '\n' \) | sort)

same layout "$want" "$(run layout:three)"
same exec "['/bin/app', 'a b', '-x']" "$(manifest 'a["app"]["exec"]')"
same user "7:8" "$(manifest '"%s:%s" % (a["app"]["user"], a["app"]["group"])')"
same dir "/opt" "$(manifest 'a["app"]["workingDirectory"]')"
same port "80" "$(manifest 'a["app"]["ports"][0]["port"]')"
same name "layout" "$(manifest 'a["image"]["name"]')"
expr "$(manifest 'a["image"]["id"]')" : 'sha512-[0-9a-f]\{64\}$' >/dev/null || fail "no image id"
run layout:one --exec=/x | grep -q '^opt/old/file ' || fail "the first tag is not the first image"
ok "a layout by umoci, of several tags"

if run_err=$("$stage0" plan --insecure-options=image layout 2>&1); then fail "chose one of four tags"; fi
same tags "stage0: image layout: several images in it: say which, as FILE:TAG; it has empty, one, two, three" "$run_err"
if run_err=$("$stage0" plan --insecure-options=image layout:four 2>&1); then fail "found a tag that is not there"; fi
same tags "stage0: image layout:four: no image 'four' in it, which has empty, one, two, three" "$run_err"
if run_err=$("$stage0" run --no-overlay --insecure-options=image --dir="$dir/data" --stage1-path=s1.aci layout:empty --exec=/x 2>&1); then
	fail "ran an empty root"
fi
same empty "stage0: image layout:empty: the image has no layers: its root would be empty" "$run_err"
[ -z "$(find data -mindepth 3 2>/dev/null)" ] || fail "left something behind"
ok "says which tags there are, and that a root is empty"

# --- the same by skopeo
skopeo copy oci:layout:three oci-archive:archive.tar:three
same oci-archive "$want" "$(run archive.tar)"
skopeo copy oci:layout:three docker-archive:docker.tar:example.com/some/app:v1
same docker-archive "$want" "$(run docker.tar)"
same name "example.com/some/app" "$(manifest 'a["image"]["name"]')"
same labels "v1" "$(manifest '[l["value"] for l in a["image"]["labels"] if l["name"] == "version"][0]')"
same exec "['/bin/app', 'a b', '-x']" "$(manifest 'a["app"]["exec"]')"
same by-tag "$want" "$(run docker.tar:v1)"
ok "an archive of a layout, and what docker saves"

gzip -k docker.tar
same docker.tar.gz "$want" "$(run docker.tar.gz)"
magic() { [ "$1" = gzip ] && echo 1f8b || echo 28b5; }
begins_with() { for f in $(find "$2" -type f); do head -c 2 "$f" | od -An -tx1 | tr -d ' '; done | grep -c "$1"; }
for format in gzip zstd; do
	skopeo copy --dest-compress --dest-compress-format $format docker-archive:docker.tar oci:$format:x
	same "layers in $format" "$want" "$(run $format)"
	same "compression" 3 "$(begins_with "$(magic $format)" $format/blobs)"
done
ok "compressed archives, compressed layers"

skopeo copy oci:layout:one oci:index:amd64
python3 - index <<'END'
import hashlib, json, sys
d = sys.argv[1]
index = json.load(open(d + "/index.json"))
m = index["manifests"][0]
m["platform"] = {"os": "linux", "architecture": "amd64"}
del m["annotations"]
other = dict(m, digest="sha256:" + 64 * "0", platform={"os": "linux", "architecture": "arm64"})
text = json.dumps({"schemaVersion": 2, "manifests": [other, m]}).encode()
name = hashlib.sha256(text).hexdigest()
open(d + "/blobs/sha256/" + name, "wb").write(text)
json.dump({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json",
    "digest": "sha256:" + name, "size": len(text)}]}, open(d + "/index.json", "w"))
END
same index "$(run layout:one --exec=/x)" "$(run index --exec=/x)"
ok "an index of several platforms"

# --- spoilt after they were made: the layer that all have, in its middle
blob=$(python3 -c 'import json
of = lambda d: json.load(open("layout/blobs/" + d["digest"].replace(":", "/")))
print("blobs/" + of(json.load(open("layout/index.json"))["manifests"][1])["layers"][0]["digest"].replace(":", "/"))')
printf X | dd of="layout/$blob" bs=1 seek=100 conv=notrunc 2>/dev/null
for tag in one two three; do
	if "$stage0" run --no-overlay --insecure-options=image --dir="$dir/data" --stage1-path=s1.aci layout:$tag --exec=/x >out 2>&1
	then fail "ran $tag with a layer that was spoilt"; fi
	same "lines for $tag" 1 "$(wc -l <out)"
	grep -q "^stage0: image layout:$tag: layer 1 of " out || fail "$tag: $(cat out)"
done
[ -z "$(find data -mindepth 3 2>/dev/null)" ] || fail "left something behind"
head -c 20000 docker.tar >short.tar
if "$stage0" run --no-overlay --insecure-options=image --dir="$dir/data" --stage1-path=s1.aci short.tar >out 2>&1; then fail "ran a half"; fi
same "lines for a half" 1 "$(wc -l <out)"
ok "what was spoilt or cut off does not run"
echo "1..$n"
