#!/usr/bin/env bash
# What is read and not run: the manual pages, the shells' completions, the example of a configuration.
. "$(dirname "$0")/lib.sh"
need man mandoc zsh fish python3

MAN=$BUILDDIR/contrib/man
COMPLETIONS=$BUILDDIR/contrib/completions

OPTIONS=$("$BERTH" serve --help | grep -oE '^  --[a-z-]+' | tr -d ' ')

# page FILE: as it is read, in $PAGE
page() {
    PAGE=$(LC_ALL=C.UTF-8 MANWIDTH=200 man --warnings -l "$MAN/$1" 2>"$DIR/man.log" | col -bx)
    expect_equal "warnings about $1" "" "$(cat "$DIR/man.log")"
    expect_equal "what mandoc says of $1" "" "$(mandoc -T lint -W warning "$MAN/$1")"
}

# shows PATTERN: somewhere in $PAGE
shows() {
    grep -qE -- "$1" <<<"$PAGE" || fail "the page" "something like $1" "nothing of it"
}

# ---- manual pages ----

it "knows its own options"
expect_true test "$(wc -l <<<"$OPTIONS")" -ge 30

it "has a page of every command, which berth(1) names"
page berth.1
index=$PAGE
for command in $("$BERTH" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    page "berth-$command.1"
    shows "berth-$command - "
    expect_match "berth(1)" "berth-$command\(1\)" "$index"
done

it "has every option in berth-serve(1), with its variable and its default"
page berth-serve.1
for option in $OPTIONS; do
    variable=BERTH_$(tr 'a-z-' 'A-Z_' <<<"${option#--}")
    shows "^ +$option( |$)"
    shows "Variable: +$variable\."
done
shows "permissions, octal. +Default: 0660\."
shows "From 1 to 512. +Default: 1\."

it "tells in berth-serve(1) and in --help how long a compiler may take"
limit=$(sed -n 's/^#define COMPILE_LIMIT_SECONDS \([0-9]*\)$/\1/p' "$SRCDIR/src/worker/compile.h")
expect_match "the limit" '^[0-9]+$' "$limit"
expect_match "berth-serve(1)" "longer than $limit s is ended" "$(tr -s ' \n' ' ' <<<"$PAGE")"
expect_match "--help" "longer than $limit s is ended" "$("$BERTH" serve --help)"

it "has what berth check alone knows in berth-check(1)"
page berth-check.1
CHECK_OPTIONS=$("$BERTH" check --help | grep -oE '^  --[a-z-]+' | tr -d ' ')
expect_equal "its options" $'--explain\n--listener' "$CHECK_OPTIONS"
for option in $CHECK_OPTIONS; do
    shows "^ +$option "
done

it "has every option of berth doctor in berth-doctor(1)"
page berth-doctor.1
DOCTOR_OPTIONS=$("$BERTH" doctor --help | grep -oE '^  --[a-z-]+' | tr -d ' ')
expect_equal "its options" $'--as\n--host' "$DOCTOR_OPTIONS"
for option in $DOCTOR_OPTIONS; do
    shows "^ +$option "
done

it "has every option of berth sockets in berth-sockets(1)"
page berth-sockets.1
SOCKETS_OPTIONS=$("$BERTH" sockets --help | grep -oE '^  --[a-z-]+' | tr -d ' ')
expect_equal "its options" $'--all\n--command\n--user\n--path\n--json' "$SOCKETS_OPTIONS"
for option in $SOCKETS_OPTIONS; do
    shows "^ +$option( |$)"
done

it "dates the pages by what they are made of, or as SOURCE_DATE_EPOCH says"
expect_equal "the day" 2001-09-09 "$(SOURCE_DATE_EPOCH=1000000000 TZ=Asia/Tokyo "$SRCDIR/contrib/man/page-date")"
expect_match "the day" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}$' "$(SOURCE_DATE_EPOCH='' "$SRCDIR/contrib/man/page-date")"
for name in berth.1 berth.h.3; do
    expect_match "the heading of $name" '^\.TH [^ ]+ [13] "?20[0-9]{2}-[0-9]{2}-[0-9]{2}"? ' "$(grep '^\.TH' "$MAN/$name")"
done

it "has every option in berth.conf(5) as a key, except --config"
page berth.conf.5
for option in $OPTIONS; do
    [ "$option" = --config ] || shows "^ +${option#--} = "
done
expect_no_match "the keys" "^ +config = " "$PAGE"

it "has every function of berth.h in berth.h(3)"
page berth.h.3
grep -oE '^BERTH_PUBLIC [^(]*\bberth_[a-z0-9_]+\(' "$SRCDIR/src/include/berth.h" |
    sed 's/.*[ *]\(berth_[a-z0-9_]*\)($/\1/' >"$DIR/functions"
expect_true test "$(wc -l <"$DIR/functions")" -ge 40
while read -r name; do
    shows "[ *]$name\("
done <"$DIR/functions"
expect_equal "sections" "$(grep -c '^/\* ---- ' "$SRCDIR/src/include/berth.h")" \
    "$(grep -cE '^[A-Z][A-Z :,]+$' <(grep -vE '^(NAME|SYNOPSIS|DESCRIPTION|SEE ALSO)$' <<<"$PAGE"))"
expect_no_match "what only the compiler reads" 'BERTH_PRINTF|extern "C"|__cplusplus' "$PAGE"

# ---- completions ----

# bash_completes WORD…: what bash offers for the last word, which may be empty
bash_completes() {
    # shellcheck disable=SC2016 # they are the inner shell's
    bash --norc -c 'source "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        function=$(complete -p berth | sed "s/.* -F \([a-z_]*\) .*/\1/")
        "$function" berth "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
        printf "%s\n" "${COMPREPLY[@]}"' - "$COMPLETIONS/berth" "$@" 2>&1
}

# offers WHAT < what is offered
offers() {
    grep -qxF -- "$1" || fail "what is offered has this" "$1" "something else"
}

it "completes in bash: commands, options, values, files and applications"
expect_equal "commands" "serve" "$(bash_completes berth ser)"
expect_equal "commands" "--version" "$(bash_completes berth --ver)"
for option in $OPTIONS; do
    bash_completes berth serve "$option" | offers "$option"
done
expect_equal "a choice" $'error\nwarning\ninfo\ndebug' "$(bash_completes berth serve --log-level '')"
expect_equal "a choice behind =" json "$(bash_completes berth check --log-format = j)"
expect_equal "all choices behind =" $'text\njson' "$(bash_completes berth check --log-format =)"
expect_equal "workers" auto "$(bash_completes berth serve --workers a)"
expect_equal "a number" "" "$(bash_completes berth serve --backlog '')"
bash_completes berth serve --socket-group roo | offers root
touch "$DIR/my.conf" "$DIR/my.so" "$DIR/my.txt"
expect_equal "a file" "$DIR/my.conf" "$(bash_completes berth check --config "$DIR/my.c")"
expect_equal "applications" "$DIR/my.so" "$(bash_completes berth serve "$DIR/my")"
expect_equal "an application at a mount" "$DIR/my.so" "$(bash_completes berth serve /x = "$DIR/my")"
expect_equal "the same where = breaks no words" "/x=$DIR/my.so" "$(bash_completes berth serve "/x=$DIR/my")"
expect_equal "a built-in one" "status" "$(bash_completes berth serve stat)"
expect_equal "of another command" "" "$(bash_completes berth worker --)"
for option in $CHECK_OPTIONS; do
    bash_completes berth check "$option" | offers "$option"
done
bash_completes berth check --explain roo | offers root
expect_equal "not of berth serve" "" "$(bash_completes berth serve --explain)"
for option in $DOCTOR_OPTIONS; do
    bash_completes berth doctor "$option" | offers "$option"
done
expect_equal "only its own" "" "$(bash_completes berth doctor --workers)"
bash_completes berth doctor --as = roo | offers root
expect_equal "a path" "$DIR/my.txt" "$(bash_completes berth doctor "$DIR/my.t")"
for option in $SOCKETS_OPTIONS; do
    bash_completes berth sockets "$option" | offers "$option"
done
expect_equal "only its own" "" "$(bash_completes berth sockets --workers)"
bash_completes berth sockets -u roo | offers root
expect_equal "a path" "$DIR/my.txt" "$(bash_completes berth sockets --path "$DIR/my.t")"

it "completes in fish"
expect_true fish --no-execute "$COMPLETIONS/berth.fish"
fish_completes() {
    fish --no-config -c "source $COMPLETIONS/berth.fish; complete -C '$1'" 2>&1 | cut -f 1
}
fish_completes "berth " | offers check
fish_completes "berth serve --" >"$DIR/offered"
for option in $OPTIONS; do
    offers "$option" <"$DIR/offered"
done
expect_equal "a choice" $'debug\nerror\ninfo\nwarning' "$(fish_completes "berth serve --log-level " | sort)"
fish_completes "berth check --user roo" | offers root
fish_completes "berth check --explain roo" | offers root
fish_completes "berth doctor --" >"$DIR/offered"
for option in $DOCTOR_OPTIONS; do
    offers "$option" <"$DIR/offered"
done
fish_completes "berth doctor --as roo" | offers root
fish_completes "berth sockets --" >"$DIR/offered"
for option in $SOCKETS_OPTIONS; do
    offers "$option" <"$DIR/offered"
done
fish_completes "berth sockets --user roo" | offers root

it "completes in zsh"
expect_true zsh -n "$COMPLETIONS/_berth"
# It completes only at a terminal. zsh_offers WORDS WHAT: after WORDS and a tab, this is shown
zsh_offers() {
    expect_equal "what is shown after \"$1\" has this" "$2" "$(python3 - "$COMPLETIONS" "$PATIENCE" "$1" "$2" <<-'END'
	import os, pty, select, sys, time

	folder, patience, words, expected = sys.argv[1:]
	pid, terminal = pty.fork()
	if pid == 0:
	    os.environ.update(TERM="dumb", LC_ALL="C")
	    os.execvp("zsh", ["zsh", "-f", "-i"])
	deadline = time.monotonic() + float(patience)

	def wait_for(what):
	    shown = b""
	    while what.encode() not in shown:
	        if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
	            sys.exit("only " + repr(shown))
	        shown += os.read(terminal, 4096)

	os.write(terminal, f"PS1=''; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; echo rea''dy\n".encode())
	wait_for("ready")
	os.write(terminal, f"berth {words}\t".encode())
	wait_for(expected)
	print(expected)
	END
    )"
}
zsh_offers "che" "check "
zsh_offers "serve --socket-" "--socket-group  -- the socket file's group"
zsh_offers "serve --log-format=j" "json"
zsh_offers "serve stat" "status"
zsh_offers "check --expl" "--explain="
zsh_offers "doctor --ho" "--host="
zsh_offers "sockets --comm" "--command="

# ---- the example ----

it "has an example of berth.conf in which nothing is wrong"
mkdir -p "$DIR/run" "$DIR/www" "$DIR/log"
sed "s,/run/berth,$DIR/run,; s,/srv/www,$DIR/www,; s,/var/log/berth,$DIR/log," "$SRCDIR/contrib/berth.conf" >"$DIR/berth.conf"
run "$BERTH" check --config "$DIR/berth.conf"
expect_code 0
expect_match "what it says" "^$DIR/berth.conf: no mistakes" "$OUT"

it "shows every option in the example, those that are commented out as they are by default"
for option in $OPTIONS; do
    [ "$option" = --config ] || expect_match "the example" "^;?${option#--} = " "$(cat "$SRCDIR/contrib/berth.conf")"
done
"$BERTH" serve --help | tr '\n' ' ' | sed 's/  --/\n--/g' | sed -nE 's/^--([a-z-]+) .*\[([^]]*)\] *$/\1 = \2/p' >"$DIR/defaults"
expect_true test "$(wc -l <"$DIR/defaults")" -ge 15
while read -r line; do
    key=${line%% *}
    ! grep -q "^;$key = " "$SRCDIR/contrib/berth.conf" ||
        expect_match "the example" "^;$line( |$)" "$(cat "$SRCDIR/contrib/berth.conf")"
done <"$DIR/defaults"

finish
