package cli

import (
	"cmp"
	"context"
	_ "embed" // of the scripts
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/complete"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

func completionCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a shell script that completes commands, flags, jobs and refs",
		UsageText: "artifetch completion bash|zsh|fish|powershell",
		Description: `If there is a token, it asks the server for jobs, refs, pipelines and paths in archives,
for at most one second. It keeps paths for a minute, in the user's cache directory.

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

// readCompletion returns the script for the shell in the argument.
func readCompletion(c *cli.Context) (script string, err error) {
	name, hint := c.Args().First(), "give one of "+strings.Join(complete.Shells(), ", ")
	switch script = complete.Script(name); {
	case c.NArg() == 0:
		return "", usage("completion needs the name of a shell", hint)
	case c.NArg() > 1:
		return "", usage("completion takes the name of one shell", hint)
	case script == "":
		return "", usage(fmt.Sprintf("no completion for %q", name), hint)
	}
	return script, nil
}

// patience is how long completion waits for names. Only tests change it.
var patience = time.Second

// completions lists what current could become after the words before it.
func completions(ctx context.Context, before []string, current string) []complete.Word {
	app := newApp(console.New(nil, io.Discard, io.Discard))
	a := arrange.Read(app, before)
	if flag := a.Awaits(before); flag != "" {
		return complete.Starting(values(ctx, before[:len(before)-1], a.Path, flag), current, "")
	}
	if name, value, ok := strings.Cut(current, "="); ok && strings.HasPrefix(name, "-") {
		if info, known := a.Flag(strings.TrimLeft(name, "-")); known && info.TakesValue {
			return complete.Starting(values(ctx, before, a.Path, info.Name), value, name+"=")
		}
		return nil
	}
	switch {
	case slices.Contains(before, "--"):
		return nil
	case strings.HasPrefix(current, "-"):
		return complete.Starting(flagWords(app, a), current, "")
	}
	if slices.Equal(a.Path, []string{"help"}) {
		return complete.Starting(helpPages(app, a.Rest), current, "")
	}
	return complete.Starting(arguments(ctx, a, before), current, "")
}

// arguments lists what could stand in the place of the next argument, or of a command.
func arguments(ctx context.Context, a *arrange.Line, before []string) []complete.Word {
	command, given := strings.Join(a.Path, " "), len(a.Rest)
	switch {
	case given == 0 && command == "completion":
		return complete.Texts(complete.Shells()...)
	case given == 0 && len(a.Path) == 2 && a.Path[0] == "job":
		return fromServer(ctx, before, "job-id")
	case command == "fetch", command == "ls", command == "cat" && given == 0:
		return fromServer(ctx, before, archivePath)
	case command == "sync remove", command == "sync" && slices.Contains(before, "--update"):
		return sources(ctx, a)
	case command == "extract" && given == 0:
		return []complete.Word{complete.File}
	case given > 0:
		return nil
	}
	return commandWords(a.Commands)
}

// helpPages lists what help can show after these words.
func helpPages(app *cli.App, words []string) (list []complete.Word) {
	commands := app.Commands
	if len(words) > 0 {
		known := commandAt(app, words)
		if known == nil {
			return nil
		}
		commands = known.Subcommands
	} else {
		list = complete.Texts(help.Topics()...)
	}
	return append(list, commandWords(commands)...)
}

func commandWords(commands []*cli.Command) (words []complete.Word) {
	for _, c := range commands {
		words = append(words, complete.Word{Text: c.Name, About: c.Usage})
	}
	return words
}

// archivePath stands for a path in an archive, in the place of a flag.
const archivePath = "PATH"

// sources lists the sources of the manifest that are not on the line yet.
func sources(ctx context.Context, a *arrange.Line) []complete.Word {
	ctx, cancel := context.WithTimeout(ctx, patience) // the manifest may be a pipe
	defer cancel()
	w, err := pin.Open(ctx, cmp.Or(a.Value("manifest"), "artifetch.yml"), a.Value("lock"), func(string) (string, bool) { return "x", true })
	if err != nil {
		return nil
	}
	return complete.Texts(slices.DeleteFunc(w.Names(), func(name string) bool { return slices.Contains(a.Rest, name) })...)
}

// flagWords lists the command's flags and the global ones.
func flagWords(app *cli.App, a *arrange.Line) []complete.Word {
	flags := app.Flags
	if c := commandAt(app, a.Path); c != nil {
		flags = slices.Concat(c.Flags, flags)
	}
	words := []complete.Word{{Text: "--help", About: "show help"}}
	for _, f := range flags {
		about := ""
		if doc, ok := f.(cli.DocGenerationFlag); ok {
			about = strings.ReplaceAll(doc.GetUsage(), "`", "")
		}
		words = append(words, complete.Word{Text: "--" + f.Names()[0], About: about})
	}
	return words
}

// values lists a flag's possible values, after the words before it.
func values(ctx context.Context, before, path []string, flag string) []complete.Word {
	switch flag {
	case "job", "name", "ref", "job-id":
		return fromServer(ctx, before, flag)
	case "pipeline":
		return append(complete.Texts(pipelineWords...), fromServer(ctx, before, flag)...)
	case "source":
		return complete.Texts(resolve.Sources()...)
	case "scope":
		return complete.Texts(gitlab.Statuses()...)
	case "format":
		if slices.Contains(path, "jobs") {
			return complete.Texts("text", "json", "jsonl")
		}
		return complete.Texts("text", "json")
	case "on-conflict":
		return complete.Texts("overwrite", "skip", "fail")
	case "symlinks":
		return complete.Texts("safe", "skip", "all")
	case "if-missing":
		return complete.Texts("fail", "warn", "ignore")
	case "log-format":
		return complete.Texts("auto", "console", "json")
	case "token-type":
		return complete.Texts("auto", "job", "private", "bearer", "none")
	case "output", "archive", "dotenv", "cache-dir", "header-file", "manifest", "lock", "token-file", "ca-file", "cert-file", "key-file":
		return []complete.Word{complete.File}
	}
	return nil
}

// fromServer runs the command as typed so far, to find out the project, but replaces its
// action with one that lists names.
func fromServer(ctx context.Context, before []string, flag string) []complete.Word {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var names []complete.Word
	con := console.New(nil, io.Discard, io.Discard)
	app := newApp(con)
	list := func(c *cli.Context) error {
		o := readGlobal(c)
		o.retries, o.person = -1, true
		s, err := newSession(ctx, o, con)
		if err != nil || s.cfg.Token.Kind == env.NoToken {
			return err
		}
		if flag == archivePath {
			names = s.paths(ctx, readQuery(c))
		} else {
			names = s.names(ctx, readQuery(c), flag)
		}
		return nil
	}
	for _, c := range app.Commands {
		for _, c := range append(c.Subcommands, c) {
			c.Action = list
		}
	}
	// An incomplete command line may have mistakes.
	arranged, _ := arrange.Args(app, slices.Concat([]string{"artifetch"}, before)) // incomplete
	_ = app.RunContext(ctx, arranged)
	return names
}

// defaultBranch completes to the default branch.
var defaultBranch = complete.Word{Text: resolve.DefaultBranch, About: "the default branch"}

// names lists the newest names of jobs or refs, each once. It takes refs from the list of
// jobs if the token can't list pipelines.
func (s *session) names(ctx context.Context, o queryOptions, flag string) []complete.Word {
	q := jobs.Query{Limit: defaultLimit}
	if err := pipelineOf(s.cfg, o.project, o.pipeline, &q.Query); err != nil || q.Project == "" {
		return nil
	}
	name := func(j gitlab.Job) complete.Word { return complete.Word{Text: j.Name, About: j.Stage} }
	switch flag {
	case "pipeline":
		pipelines := s.api.Pipelines(ctx, gitlab.Project(q.Project), gitlab.PipelinesOptions{Ref: o.asked.Ref})
		return distinct(pipelines, func(p gitlab.Pipeline) complete.Word {
			return complete.Word{Text: orUnknown(p.ID), About: p.Ref + ", " + p.Status}
		})
	case "job-id":
		q.Ref = o.asked.Ref
		name = func(j gitlab.Job) complete.Word {
			return complete.Word{Text: orUnknown(j.ID), About: j.Name + ", " + j.Ref + ", " + j.Status}
		}
	case "ref":
		pipelines := s.api.Pipelines(ctx, gitlab.Project(q.Project), gitlab.PipelinesOptions{})
		if refs := distinct(pipelines, func(p gitlab.Pipeline) complete.Word { return complete.Word{Text: p.Ref, About: p.Status} }); len(refs) > 0 {
			return append(refs, defaultBranch)
		}
		name = func(j gitlab.Job) complete.Word { return complete.Word{Text: j.Ref, About: j.Pipeline.Status} }
	default:
		q.Ref = o.asked.Ref
	}
	return distinct(s.jobs().List(ctx, q), name)
}

// maxPaths is how many paths of an archive a shell is offered.
const maxPaths = 1000

// paths lists what is in the archive that a query means. The answer is kept for a minute,
// for this token and this query alone.
func (s *session) paths(ctx context.Context, o queryOptions) []complete.Word {
	q, err := o.query(s.cfg)
	if err != nil {
		return nil
	}
	find := func() (words []complete.Word) {
		listed, err := s.inspector().List(ctx, s.resolver.Settle(q), extract.Selection{}, retrieve.FromArchive)
		if err != nil {
			return nil
		}
		for _, f := range listed[:min(len(listed), maxPaths)] {
			about := console.Size(f.Size)
			if f.Mode.IsDir() {
				about = "directory"
			}
			words = append(words, complete.Word{Text: f.Name, About: about})
		}
		return words
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return find()
	}
	key := fmt.Sprintf("%s %s %s %+v", s.cfg.APIURL, s.cfg.Token.Kind, s.cfg.Token.Value.Reveal(), q)
	return complete.Kept(filepath.Join(dir, "artifetch", "completion"), key, find)
}

// distinct returns the names in a list's first page, each once.
func distinct[T any](rows iter.Seq2[T, error], name func(T) complete.Word) []complete.Word {
	var words []complete.Word
	seen := 0
	for row, err := range rows {
		if err != nil {
			break
		}
		w := name(row)
		if !slices.ContainsFunc(words, func(known complete.Word) bool { return known.Text == w.Text }) {
			words = append(words, w)
		}
		if seen++; seen == defaultLimit {
			break
		}
	}
	return words
}
