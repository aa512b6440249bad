package cli_test

import (
	"bytes"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

func TestHelpIsPrinted(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {}, {"fetch", "--help"}, {"fetch", "-h"}, {"job", "log", "--help"}, {"job", "--help"}, {"help"}, {"help", "fetch"}, {"help", "get"}, {"help", "job"}, {"help", "job", "log"}, {"fetch", "--help", "--all"}, {"help", "--all", "fetch"}, {"version"}} {
		var out, errs bytes.Buffer
		if code := command(t, append([]string{"artifetch"}, args...), cli.IO{Out: &out, Err: &errs}); code != 0 || errs.Len() > 0 || !strings.HasPrefix(out.String(), "artifetch ") || strings.Contains(out.String(), "\n\n\n") {
			t.Errorf("%q: code %d, %s%s", args, code, out.String(), errs.String())
		}
	}
}

// fullDisk fails like /dev/full.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/full", Err: syscall.ENOSPC}
}

// A failed write is an error, whatever prints it.
func TestFullOutput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {}, {"--version"}, {"help", "fetch"}, {"fetch", "--help"}, {"job", "--help"}, {"job"}, {"completion", "bash"}} {
		var errs bytes.Buffer
		if code := command(t, append([]string{"artifetch"}, args...), cli.IO{Out: fullDisk{}, Err: &errs}); code != 9 || !strings.Contains(errs.String(), "write /dev/full") {
			t.Errorf("%q: code %d, %s", args, code, errs.String())
		}
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"fetch", "--jbo", "x"}, "no flag --jbo\n  did you mean --job?"},
		{[]string{"fetch", "--strip-component", "1"}, "did you mean --strip-components?"},
		{[]string{"fetch", "--stall-timout=1s"}, "did you mean --stall-timeout?"},
		{[]string{"job", "log", "--folow"}, "did you mean --follow? artifetch job log --help lists the flags"},
		{[]string{"fetch", "-Z"}, "no flag -Z\n"},
		{[]string{"fetch", "--retries", "x"}, "--retries: invalid value \"x\"\n  write a number"},
		{[]string{"fetch", "--quiet=x"}, "invalid boolean value \"x\" for --quiet: "},
		{[]string{"fetch", "-j"}, "flag needs an argument: --job\n"},
		{[]string{"fetch", "--xyzzy"}, "no flag --xyzzy\n  artifetch fetch --help lists the flags"},
		{[]string{"--versin"}, "did you mean --version?"},
		{[]string{"fetsh"}, "did you mean fetch?"},
		{[]string{"help", "fetsh"}, "no command \"fetsh\"\n  did you mean fetch?"},
		{[]string{"help", "job", "x"}, "no command \"x\" of job\n  it is one of show, "},
		{[]string{"help", "job", "lgo"}, "no command \"lgo\" of job\n  did you mean artifetch job log? it is one of show, "},
		{[]string{"help", "sync", "init", "extra"}, "no command \"extra\" of sync init\n  artifetch help sync init shows its help"},
		{[]string{"help", "fetsh", "extra"}, "no command \"fetsh\"\n  did you mean fetch?"},
		{[]string{"job", "lgo"}, "no command \"lgo\" of job\n  did you mean artifetch job log? it is one of show, "},
		{[]string{"job", "stop", "5"}, "did you mean artifetch job cancel?"},
		{[]string{"job", "logs", "5", "-R", "1"}, "no command \"logs\" of job\n  did you mean artifetch job log?"},
		{[]string{"job", "--folow"}, "no flag --folow\n  artifetch job --help lists the flags"},
		{[]string{"fetch", "–-ref", "main", "-j", "x"}, "–-ref begins with another dash (U+2013) than flags do\n  write - or --"},
		{[]string{"job", "log", "5", "—follow"}, "—follow begins with another dash (U+2014)"},
		{[]string{"fetch", "--", "—x"}, "no job given: an argument is a path in the archive"},
		{[]string{"sync", "rm", "lib"}, "no command \"rm\" of sync\n  did you mean artifetch sync remove?"},
		{[]string{"version", "extra"}, "version takes no argument\n"},
		{[]string{"ls", "-la"}, "no flag -la\n  there is -l, but no -a"},
		{[]string{"ls", "-lq", "-lqZ"}, "no flag -lqZ\n  there is -l, but no -Z"},
		{[]string{"ls", "-rmain"}, "no flag -rmain\n  write -r main, with a space"},
		{[]string{"ls", "-zz"}, "no flag -zz\n  artifetch ls --help lists the flags"},
		{[]string{"ls", "-ref=main", "-rex=main"}, "no flag -rex\n  write -r ex, with a space"},
		{[]string{"ls", "--la"}, "no flag --la\n  artifetch ls --help lists the flags"},
		{[]string{"--ref", "main", "fetch"}, "no flag --ref\n  flags of a command go after it: artifetch fetch --ref …"},
		{[]string{"-j", "x", "ls"}, "no flag -j\n  flags of a command go after it: artifetch fetch -j …"},
		{[]string{"--follow", "job", "log"}, "no flag --follow\n  flags of a command go after it: artifetch job log --follow …"},
		{[]string{"download"}, "no command \"download\"\n  did you mean artifetch fetch?"},
		{[]string{"list"}, "did you mean artifetch jobs, or ls for the files of a job?"},
		{[]string{"log", "5"}, "did you mean artifetch job log?"},
		{[]string{"man"}, "no command \"man\"\n  did you mean artifetch help?"},
		{[]string{"login"}, "\n  set GITLAB_TOKEN, or give --token-file; artifetch doctor checks the token"},
		{[]string{"ls", "jobs"}, "\n  to list jobs: artifetch jobs"},
		{[]string{"help", "log"}, "did you mean artifetch job log?"},
		{[]string{"fetch", "--token", "glpat-x"}, "no flag --token\n  set GITLAB_TOKEN, or give --token-file FILE: "},
		{[]string{"--private-token=x", "fetch"}, "no flag --private-token\n  set GITLAB_TOKEN, or give --token-file FILE: "},
		{[]string{"--token-fil", "x", "fetch"}, "did you mean --token-file?"},
		{[]string{"fetch", "-j", "x", "--output=~/x"}, "--output holds the literal text ~: it was not expanded\n  a shell doesn't expand variables in single quotes, and ~ only at the beginning of a word"},
		{[]string{"fetch", "-j", "x", "-o", "$HOME/x"}, "--output holds the literal text $HOME: it was not expanded"},
		{[]string{"fetch", "-j", "x", "--archive", "${OUT_DIR}/x"}, "--archive holds the literal text ${OUT_DIR}: it was not expanded"},
		{[]string{"ls", "--token-file=~/token", "-j", "x"}, "--token-file holds the literal text ~: it was not expanded"},
		{[]string{"extract", "~/a.zip"}, "an argument holds the literal text ~: it was not expanded"},
		{[]string{"fetch", "-j", "x", "-o", "-"}, "--output is a directory, and - means standard output elsewhere\n  cat writes"},
		{[]string{"extract", "a.zip", "-o", "-"}, "--output is a directory"},
		{[]string{"sync", "add", "a", "-o", "-"}, "--output is a directory"},
		{[]string{"job", "play", "main", "x", "--variable", "A=secret", "--input", "b=c=d", "-q"}, "did you mean: artifetch job play --ref main --job x --quiet --variable 'A=…' --input 'b=…'\n"},
		{[]string{"ls", "-R", `group\app`, "-j", "x"}, `"group\\app" isn't the path of a project` + "\n  did you mean --project group/app?"},
		{[]string{"jobs", "-R", " group/app"}, `" group/app" isn't the path of a project` + "\n  did you mean --project group/app?"},
		{[]string{"1"}, "no command \"1\"\n  artifetch --help lists the commands"},
	}
	for _, tt := range tests {
		var errs bytes.Buffer
		if code := command(t, append([]string{"artifetch"}, tt.args...), cli.IO{Err: &errs}); code != 2 || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%q: code %d, %s; want %s", tt.args, code, errs.String(), tt.want)
		}
	}
}
