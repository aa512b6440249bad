package cli

import (
	"context"
	_ "embed" // of the scripts
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

// Completion: a script for each shell asks "artifetch __complete SHELL WORD…",
// where the last word is the one that is being written, and gets a line for each
// word that it could become, with what it means behind a tab. The line ":files"
// says that it could be the name of a file.

//go:embed completion/bash.sh
var bashScript string

//go:embed completion/zsh.sh
var zshScript string

//go:embed completion/fish.fish
var fishScript string

//go:embed completion/powershell.ps1
var powershellScript string

// shells are those that there is a script for.
func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func completionCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes commands, flags, jobs and refs",
		UsageText: "artifetch completion bash|zsh|fish|powershell",
		Description: `Job and ref names are asked of the server, if there is a token, for a second at
most.

  source <(artifetch completion bash)
  artifetch completion zsh >"${fpath[1]}/_artifetch"
  artifetch completion fish >~/.config/fish/completions/artifetch.fish
  artifetch completion powershell | Out-String | Invoke-Expression`,
		Action: action(con, readCompletion, func(_ context.Context, script string, con *console.Console) error {
			_, err := io.WriteString(con.Out, script)
			return err
		}),
	}
}

// readCompletion returns the script of the shell that the argument names.
func readCompletion(c *cli.Context) (script string, err error) {
	scripts := []string{bashScript, zshScript, fishScript, powershellScript}
	at := slices.Index(shells(), c.Args().First())
	if at < 0 || c.NArg() != 1 {
		return "", &usageError{"completion takes the name of a shell", "one of " + strings.Join(shells(), ", ")}
	}
	return scripts[at], nil
}

// patience is how long a person waits for names.
const patience = time.Second

// completeCommand is the word that the scripts say.
const completeCommand = "__complete"

// complete answers a script. There is nobody to tell about errors: what cannot be
// found out is left out.
func complete(ctx context.Context, args []string, out io.Writer) error {
	if len(args) < 2 {
		return nil
	}
	show := func(w word) string { return w.text + "\t" + w.about }
	words := args[1:]
	if args[0] == "bash" {
		line := parseLine(words)
		words = line.words
		show = line.reply
	}
	last := len(words) - 1
	if args[0] == "powershell" && words[last] == `""` {
		words[last] = "" // it drops an empty word
	}
	for _, w := range completions(ctx, words[:last], words[last]) {
		if w == someFile {
			if _, err := fmt.Fprintln(out, ":files"); err != nil {
				return err
			}
			continue
		}
		if printable.HasHidden(w.text) {
			continue // a terminal would obey it, and a shell would split it
		}
		w.about = printable.Text(w.about)
		if _, err := fmt.Fprintln(out, strings.TrimRight(show(w), "\t")); err != nil {
			return err
		}
	}
	return nil
}

// word is what a word could become.
type word struct{ text, about string }

// someFile stands for the names of files.
var someFile = word{text: ":files"}

// completions lists what current could become behind the words before it.
func completions(ctx context.Context, before []string, current string) []word {
	app := newApp(console.New(nil, io.Discard, io.Discard))
	a := &arranger{global: index(app.Flags), commands: app.Commands}
	a.read(before)
	if flag := a.awaits(before); flag != "" {
		return starting(values(ctx, before[:len(before)-1], a.path, flag), current, "")
	}
	if name, value, ok := strings.Cut(current, "="); ok && strings.HasPrefix(name, "-") {
		if info, _, known := a.lookup(strings.TrimLeft(name, "-")); known && info.takesValue {
			return starting(values(ctx, before, a.path, info.name), value, name+"=")
		}
		return nil
	}
	switch {
	case slices.Contains(before, "--"):
		return nil
	case strings.HasPrefix(current, "-"):
		return starting(flagWords(app, a), current, "")
	case len(a.rest) == 0 && len(a.path) == 1 && a.path[0] == "completion":
		return starting(texts(shells()...), current, "")
	case len(a.rest) > 0:
		return nil
	}
	var commands []word
	for _, c := range a.commands {
		commands = append(commands, word{c.Name, c.Usage})
	}
	return starting(commands, current, "")
}

// awaits is the flag whose value comes next.
func (a *arranger) awaits(before []string) string {
	if len(before) == 0 || slices.Contains(before, "--") {
		return ""
	}
	last := before[len(before)-1]
	if len(last) < 2 || last[0] != '-' || strings.Contains(last, "=") {
		return ""
	}
	if info, _, known := a.lookup(strings.TrimLeft(last, "-")); known && info.takesValue {
		return info.name
	}
	return ""
}

func starting(words []word, prefix, lead string) []word {
	var fit []word
	for _, w := range words {
		if w == someFile || strings.HasPrefix(w.text, prefix) {
			if w != someFile {
				w.text = lead + w.text
			}
			fit = append(fit, w)
		}
	}
	return fit
}

func texts(values ...string) []word {
	words := make([]word, len(values))
	for i, v := range values {
		words[i] = word{text: v}
	}
	return words
}

// flagWords lists the flags of the command and those that every command has.
func flagWords(app *cli.App, a *arranger) []word {
	flags := app.Flags
	commands := app.Commands
	for _, name := range a.path {
		for _, c := range commands {
			if c.HasName(name) {
				flags, commands = slices.Concat(c.Flags, flags), c.Subcommands
				break
			}
		}
	}
	words := []word{{"--help", "show help"}}
	for _, f := range flags {
		about := ""
		if doc, ok := f.(cli.DocGenerationFlag); ok {
			about = strings.ReplaceAll(doc.GetUsage(), "`", "")
		}
		words = append(words, word{"--" + f.Names()[0], about})
	}
	return words
}

// values lists what a flag could be set to, behind the words before it.
func values(ctx context.Context, before, path []string, flag string) []word {
	switch flag {
	case "job", "name", "ref":
		return fromServer(ctx, before, flag)
	case "pipeline":
		return texts("current", "latest")
	case "scope":
		return texts(gitlab.Statuses()...)
	case "format":
		if slices.Contains(path, "jobs") {
			return texts("text", "json", "jsonl")
		}
		return texts("text", "json")
	case "on-conflict":
		return texts("overwrite", "skip", "fail")
	case "symlinks":
		return texts("safe", "skip", "all")
	case "if-missing":
		return texts("fail", "warn", "ignore")
	case "log-format":
		return texts("auto", "console", "json")
	case "token-type":
		return texts("auto", "job", "private", "bearer", "none")
	case "output", "dotenv", "cache-dir", "manifest", "lock", "token-file", "ca-file", "cert-file", "key-file":
		return []word{someFile}
	}
	return nil
}

// fromServer runs the command as far as it was written, to know which project is
// meant, but lets it do nothing except to list names.
func fromServer(ctx context.Context, before []string, flag string) []word {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var names []word
	con := console.New(nil, io.Discard, io.Discard)
	app := newApp(con)
	list := func(c *cli.Context) error {
		o := readGlobal(c)
		o.retries = -1
		s, err := newSession(ctx, o, con)
		if err != nil || s.cfg.Token.Kind == env.NoToken {
			return err
		}
		names = s.names(ctx, c, flag)
		return nil
	}
	for _, c := range app.Commands {
		for _, c := range append(c.Subcommands, c) {
			c.Action = list
		}
	}
	// Whoever is still writing makes mistakes.
	_ = app.RunContext(ctx, arrange(app, slices.Concat([]string{"artifetch"}, before)))
	return names
}

// names lists the newest names of jobs, or of refs, each once. The list of jobs
// has refs, too, for a token that may not list pipelines.
func (s *session) names(ctx context.Context, c *cli.Context, flag string) []word {
	q := jobs.Query{Limit: defaultLimit}
	var err error
	if q.Project, err = projectOf(readProject(c), s.cfg); err != nil || q.Project == "" {
		return nil
	}
	name := func(j gitlab.Job) word { return word{j.Name, j.Stage} }
	if flag == "ref" {
		pipelines := s.api.Pipelines(ctx, gitlab.Project(q.Project), gitlab.PipelinesOptions{})
		if refs := distinct(pipelines, func(p gitlab.Pipeline) word { return word{p.Ref, p.Status} }); len(refs) > 0 {
			return refs
		}
		name = func(j gitlab.Job) word { return word{j.Ref, j.Pipeline.Status} }
	} else {
		q.Ref = c.String("ref")
		if err := pipelineIn(readPipeline(c))(s.cfg, &q.Query); err != nil {
			return nil
		}
	}
	return distinct(s.jobs().List(ctx, q), name)
}

// distinct names the rows of a list's first page, each name once.
func distinct[T any](rows iter.Seq2[T, error], name func(T) word) []word {
	var words []word
	seen := 0
	for row, err := range rows {
		if err != nil {
			break
		}
		w := name(row)
		if !slices.ContainsFunc(words, func(known word) bool { return known.text == w.text }) {
			words = append(words, w)
		}
		if seen++; seen == defaultLimit {
			break
		}
	}
	return words
}
