# git: what it stores is found again, by whoever looks.

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b HOME=/root
W=/var/git
commits() {
	mkdir -p $W && git init -q -b main $W/one && cd $W/one && git config gc.auto 0 || return 1
	mkdir d0 d1 d2 d3 d4 d5 d6
	for i in $(seq 1 200); do echo "file $i" >d$((i % 7))/f$i || return 1; done
	git add -A && git commit -q -m first || return 1
	for i in 1 2; do
		echo "change $i" >>d$i/f$i && git commit -q -a -m "commit $i" || return 1
	done
	git mv d1 e1 && git rm -q -r d2 && git commit -q -m moves && same "" "$(git status --porcelain)" && same 4 "$(git rev-list --count HEAD)"
}
refs() {
	cd $W/one || return 1
	git rev-list HEAD >$W/all
	awk '{ id[NR] = $0 } END { for (i = 1; i <= 300; i++) print "create refs/tags/t/" i, id[i % NR + 1] }' $W/all |
		git update-ref --stdin || return 1
	git pack-refs --all && same 300 "$(git tag | wc -l)" || return 1
	for w in 1 2 3; do
		(for i in 1 2; do git update-ref refs/heads/w$w-$i HEAD || exit 1; done) &
		eval "p$w=$!"
	done
	wait $p1 && wait $p2 && wait $p3 && same 7 "$(git branch | wc -l)"
}
clones() {
	cd $W && git clone -q one linked && git clone -q --no-hardlinks --bare one copied && git clone -q --bare file://$W/one bare &&
		same "$(git -C one rev-parse HEAD)" "$(git -C bare rev-parse HEAD)" &&
		same "$(git -C one rev-parse HEAD)" "$(git -C copied rev-parse HEAD)" &&
		same "" "$(git -C linked status --porcelain)" && cd linked && echo more >more && git add more && git commit -q -m more &&
		git push -q origin HEAD:refs/heads/pushed && same "$(git rev-parse HEAD)" "$(git -C $W/one rev-parse pushed)" &&
		git worktree add -q $W/tree HEAD~2 && same "" "$(git -C $W/tree status --porcelain)"
}
collects() {
	for repo in one linked; do
		git -C $W/$repo gc -q --prune=now && git -C $W/$repo fsck --full --strict || return 1
	done
	same 0 "$(git -C $W/one count-objects | cut -d ' ' -f 1)"
}
check "commits" commits
check "many refs, and several writers of them" refs
check "clones, a push, a worktree" clones
check "gc and fsck" collects
