# berth.h as a manual page, berth.h(3): its chapters as sections, each declaration with the paragraph before it.
# awk -v version=0.1.0 -v date=2026-01-31 -f header.awk berth.h

function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/…/, "\\[u2026]", text)
    gsub(/'/, "\\(aq", text)
    if (text ~ /^\./)
        text = "\\\\\\&" text
    return text
}

# Paragraphs; what is indented is an example or a list, and stays as it is.
function put_text(    i, literal, wants_paragraph) {
    wants_paragraph = 0
    for (i = 1; i <= text_count; i++) {
        if (text[i] == "") {
            wants_paragraph = 1
            continue
        }
        if (!literal && text[i] ~ /^  /) {
            print ".PP\n.nf"
            literal = 1
            wants_paragraph = 0
        } else if (literal && text[i] !~ /^  /) {
            print ".fi"
            literal = 0
            wants_paragraph = 1
        }
        if (wants_paragraph)
            print (literal ? "" : ".PP")
        wants_paragraph = 0
        print escaped(text[i])
    }
    if (literal)
        print ".fi"
    text_count = 0
}

function put_block(    i) {
    if (code_count == 0 && text_count == 0)
        return
    if (!after_heading)
        print ".PP"
    after_heading = 0
    if (code_count > 0) {
        print ".nf\n.ft B"
        for (i = 1; i <= code_count; i++)
            print escaped(code[i])
        print ".ft R\n.fi"
        if (text_count > 0)
            print ".RS 4"
        in_block = text_count > 0
    }
    put_text()
    if (in_block)
        print ".RE"
    in_block = 0
    code_count = 0
}

function add_text(line) {
    sub(/^berth\.h: what/, "What", line)
    sub(/[ \t]*\*\/$/, "", line)
    text[++text_count] = line
}

BEGIN {
    print ".TH BERTH.H 3 " date " \"berth " version "\" \"berth\""
    print ".SH NAME"
    print "berth.h \\- what an application of berth may use"
    print ".SH SYNOPSIS"
    print ".nf\n.B #include <berth.h>\n.fi"
    print ".PP"
    print "cc \\-shared \\-fPIC \\-o x.so x.c"
    print ".SH DESCRIPTION"
    while ((getline line < ARGV[1]) > 0)
        lines[++count] = line
    after_heading = 1
    for (n = 1; n <= count; n++) {
        line = lines[n]
        if (line ~ /^\/\* ---- .* -+ \*\/$/) {
            put_block()
            sub(/^\/\* ---- ([0-9]+\. )?/, "", line)
            sub(/ -+ \*\/$/, "", line)
            print ".SH \"" toupper(line) "\""
            after_heading = 1
        } else if (line ~ /^\/\*/) {
            if (code_count > 0)
                put_block()
            sub(/^\/\* ?/, "", line)
            closed = line ~ /\*\/$/
            if (line != "")
                add_text(line)
            while (!closed && n < count) {
                line = lines[++n]
                closed = line ~ /\*\/$/
                sub(/^ \*\/?/, "", line)
                sub(/^ /, "", line)
                if (!closed || line != "")
                    add_text(line)
            }
        } else if (line == "") {
            # A comment of its own is a paragraph of the chapter.
            put_block()
        } else if (line ~ /^#(ifndef BERTH_H|define BERTH_H$|define BERTH_(PUBLIC|PRINTF)|ifdef __cplusplus|include)/ || \
                   line == "extern \"C\" {" || (line == "#endif" && !inner) || (line == "}" && !in_struct)) {
            continue
        } else {
            if (line ~ /^#if/)
                inner = 1
            if (line == "#endif")
                inner = 0
            in_struct = line ~ /^(struct|enum|union) .*\{$/ || (in_struct && line !~ /^}/)
            # What follows on the next lines moves to the left with it.
            if (sub(/^BERTH_PUBLIC /, "", line))
                moved = 1
            else if (moved)
                sub(/^             /, "", line)
            if (line ~ /;/)
                moved = 0
            sub(/ +\\$/, " \\", line)
            if (line ~ /^ +BERTH_PRINTF\([0-9, ]+\);$/) {
                code[code_count] = code[code_count] ";"
                continue
            }
            sub(/ BERTH_PRINTF\([0-9, ]+\);$/, ";", line)
            code[++code_count] = line
        }
    }
    put_block()
    print ".SH SEE ALSO"
    print ".BR berth (1),\n.BR berth\\-serve (1),\n.BR berth.conf (5)"
}
