package delivery

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/need"
)

// The completion scripts work in their shells. PowerShell isn't tested.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	tests := []struct{ shell, name, script, want string }{
		{
			"bash", "subcommands", `source <(artifetch completion bash)
COMP_LINE="artifetch job " COMP_POINT=14 _artifetch; printf '%s\n' "${COMPREPLY[@]}"; complete -p artifetch`,
			"show\nlog\ncancel\nretry\nerase\nplay\nkeep\ncomplete -F _artifetch artifetch\n",
		},
		{
			"bash", "files", `source <(artifetch completion bash)
compopt() { echo "compopt $*"; }
COMP_LINE="artifetch fetch -o " COMP_POINT=19 _artifetch; echo "${#COMPREPLY[@]}"`,
			"compopt -o default -o bashdefault -o filenames\n0\n",
		},
		{
			"zsh", "subcommands", `compdef() { print "compdef $*" }; compadd() { print -l -- "$names[@]" "$described[1]" }
source <(artifetch completion zsh)
words=(artifetch job ''); CURRENT=3; PREFIX=; _artifetch`,
			"compdef _artifetch artifetch\nshow\nlog\ncancel\nretry\nerase\nplay\nkeep\nshow  show a job\n",
		},
		{
			"zsh", "values", `compdef() { }; compadd() { print -l -- "$names[@]" }
source <(artifetch completion zsh)
words=(artifetch jobs "--format" "'j" ); CURRENT=4; PREFIX=j; _artifetch; words=(artifetch jobs '--scope' can); PREFIX=can; _artifetch`,
			"json\njsonl\ncanceling\ncanceled\n",
		},
		{
			"fish", "subcommands", `source (artifetch completion fish | psub); complete -C "artifetch job " | sort`,
			"cancel\tcancel a job that has not finished\nerase\tdelete the archive, the reports and the log of a finished job\nkeep\tkeep a job's artifacts from expiring\nlog\tprint a job's log\nplay\tstart a manual or scheduled job\nretry\tretry a finished job and show the new job\nshow\tshow a job\n",
		},
		{"fish", "values", `source (artifetch completion fish | psub); complete -C "artifetch jobs --scope=su"`, "--scope=success\n"},
	}
	for _, tt := range tests {
		t.Run(tt.shell+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			shell := need.Tools(t, tt.shell)
			cmd := exec.CommandContext(t.Context(), shell, "-c", tt.script)
			cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "ARTIFETCH_TOKEN_TYPE=none")
			got, err := cmd.CombinedOutput()
			if err != nil || strings.ReplaceAll(string(got), "\r", "") != tt.want {
				t.Errorf("%v: got %q, want %q", err, got, tt.want)
			}
		})
	}
}
