package cli

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/console"
)

func TestArrange(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"nothing", "artifetch", "artifetch"},
		{"already in order", "artifetch fetch --job build", "artifetch fetch --job=build"},
		{"flag after path", "artifetch fetch dist/ --job build lib", "artifetch fetch --job=build -- dist/ lib"},
		{"short flag after path", "artifetch fetch dist/ -j build -x *.map", "artifetch fetch --job=build --exclude=*.map -- dist/"},
		{"global flag after command", "artifetch fetch -v --job build --retries 0", "artifetch --verbose --retries=0 fetch --job=build"},
		{"global flag before command", "artifetch --quiet fetch --job build", "artifetch --quiet fetch --job=build"},
		{"two spellings of one flag", "artifetch fetch -x a --exclude b", "artifetch fetch --exclude=a --exclude=b"},
		{"equals sign", "artifetch fetch --job=build:x=y -o=out", "artifetch fetch --job=build:x=y --output=out"},
		{"value that looks like a flag", "artifetch fetch --job=--flat", "artifetch fetch --job=--flat"},
		{"value with a dash", "artifetch fetch --job -5 -o -", "artifetch fetch --job=-5 --output=-"},
		{"after a double dash", "artifetch fetch --job build -- -odd --job", "artifetch fetch --job=build -- -odd --job"},
		{"letters together", "artifetch fetch -qv --job build", "artifetch --quiet --verbose fetch --job=build"},
		{"unknown flag stays", "artifetch fetch --jbo build", "artifetch fetch --jbo -- build"},
		{"unknown command", "artifetch fecth --job build", "artifetch fecth --job -- build"},
		{"help of a command", "artifetch fetch --help", "artifetch fetch --help"},
		{"help", "artifetch -h", "artifetch --help"},
		{"alias of a command", "artifetch get a -j b", "artifetch get --job=b -- a"},
		{"value missing", "artifetch fetch --job", "artifetch fetch --job"},
		{"subcommand", "artifetch job show 5 --format json -R g/p", "artifetch job show --format=json --project=g/p -- 5"},
		{"flag before a subcommand", "artifetch -v job --format json show 5", "artifetch --verbose job show --format=json -- 5"},
		{"switch of a subcommand", "artifetch job log 5 -f", "artifetch job log --follow -- 5"},
		{"unknown subcommand", "artifetch job shwo 5", "artifetch job -- shwo 5"},
		{"subcommand of a command with flags", "artifetch sync -f m.yml add dist/ -j build lib --flat", "artifetch sync add --manifest=m.yml --job=build --flat -- dist/ lib"},
		{"arguments of such a command", "artifetch sync lib --update add", "artifetch sync --update -- lib add"},
		{"help of a subcommand", "artifetch job show -h", "artifetch job show --help"},
		{"a dash is an argument", "artifetch fetch - --job b", "artifetch fetch --job=b -- -"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := arrange.Args(newApp(console.New(nil, io.Discard, io.Discard)), strings.Fields(tt.in))
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

// Silently using the last of two values would leave out a job, or erase the wrong one.
func TestFlagsThatAreThereTwice(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"artifetch job erase --job-id 1 -y --job-id 2":                             "--job-id",
		"artifetch delete --job-id=1 --job-id 2":                                   "--job-id",
		"artifetch fetch --mr 7 -j build --mr 8":                                   "--mr",
		"artifetch fetch --pipeline 7 -j build --pipeline=8":                       "--pipeline",
		"artifetch ls --sha a -j build --sha b":                                    "--sha",
		"artifetch jobs -r main -r v1.0":                                           "--ref",
		"artifetch --header-file a jobs --header-file b":                           "--header-file",
		"artifetch jobs --ref main --pipeline latest --ref v1":                     "--ref",
		"artifetch fetch -r a -r b -j c -j d --source push --source web -o x -o y": "",
		"artifetch fetch --job-id 1 --job-id 1":                                    "",
		"artifetch fetch --job-id 1 -- --job-id=2":                                 "",
	} {
		_, err := arrange.Args(newApp(console.New(nil, io.Discard, io.Discard)), strings.Fields(in))
		twice, _ := errors.AsType[*arrange.Error](err)
		if (twice != nil) != (want != "") || twice != nil && (twice.Flag != want || !twice.Twice) {
			t.Errorf("%s: %v", in, err)
		}
	}
	var errs strings.Builder
	OneAtATime.Lock()
	defer OneAtATime.Unlock()
	if code := Run(t.Context(), strings.Fields("artifetch job erase --job-id 1 --job-id 2"), IO{Out: io.Discard, Err: &errs}); code != 2 || !strings.Contains(errs.String(), "--job-id is there twice, with different values\n  it takes one") {
		t.Errorf("code %d: %s", code, errs.String())
	}
	if got := (&arrange.Error{Flag: "--header-file", Twice: true}).Hint(); got != "write all headers into one file" {
		t.Error(got)
	}
}

// An empty, unquoted variable leaves a flag without its value. The next flag must not
// become the value, least of all --server-url: the token would go to another server.
func TestSwallowedFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"artifetch fetch -R --server-url http://localhost -j build", "--project has no value: --server-url follows"},
		{"artifetch --server-url -v fetch -j build", "--server-url has no value: -v follows"},
		{"artifetch fetch --ref --job=build", "--ref has no value: --job=build follows"},
		{"artifetch fetch --ref main -o -q", "--output has no value: -q follows"},
		{"artifetch fetch --ref main -o --no-progres", "--output has no value: --no-progres follows"},
		{"artifetch fetch --ref main -o -- dist", "--output has no value: -- follows"},
		{"artifetch job log 5 -R -f", "--project has no value: -f follows"},
		{"artifetch fetch -r -j -o", "--ref has no value: -j follows"},
	} {
		var errs strings.Builder
		OneAtATime.Lock()
		code := Run(t.Context(), strings.Fields(tt.in), IO{Out: io.Discard, Err: &errs})
		OneAtATime.Unlock()
		if code != 2 || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%s: code %d: %s; want %s", tt.in, code, errs.String(), tt.want)
		}
	}
}
