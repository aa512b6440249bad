package cli

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/need"
)

// manPage is the man page in the format man(7), in which the characters \\, -, ', `, ^ and
// ~ have a special meaning.
func manPage() string {
	app := newApp(console.New(nil, nil, nil))
	var m man
	m.say(".TH ARTIFETCH 1 \"\" artifetch \"User Commands\"\n.nh\n.ad l\n")
	m.section("NAME")
	m.say("artifetch \\- %s\n", roff(app.Usage))
	m.section("SYNOPSIS")
	m.synopsis(app.UsageText)
	m.section("DESCRIPTION")
	m.description(app.Description)
	m.section("COMMANDS")
	for _, c := range app.Commands {
		m.command("artifetch "+c.Name, c)
		for _, sub := range c.Subcommands {
			m.command("artifetch "+c.Name+" "+sub.Name, sub)
		}
	}
	m.section("GLOBAL OPTIONS")
	m.flags(globalFlags())
	for _, topic := range help.Topics() {
		title := map[string]string{"exit-codes": "EXIT STATUS"}[topic]
		if title == "" {
			title = strings.ToUpper(topic)
		}
		m.section(title)
		head, rows, foot := help.TopicRows(topic, codeRows())
		m.say("%s\n", roff(head))
		for _, r := range rows {
			m.item(r[0], r[1])
		}
		if foot != "" {
			m.say(".PP\n%s\n", roff(foot))
		}
	}
	m.section("JSON")
	for _, shape := range shapes {
		m.say(".PP\n%s\n", roff(strings.ReplaceAll(shape.of, "`", "")))
		of := reflect.TypeOf(shape.v)
		for i := range of.NumField() {
			f := of.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			m.item(name, strings.TrimSuffix(jsonType(f.Type)+": "+f.Tag.Get("doc"), ": "))
		}
	}
	return m.String()
}

// man is a man page being built.
type man struct{ strings.Builder }

func (m *man) say(format string, args ...any) { _, _ = fmt.Fprintf(m, format, args...) }

func (m *man) section(title string) { m.say(".SH %s\n", title) }

// synopsis has one line for each way to write a command.
func (m *man) synopsis(usage string) {
	for i, line := range strings.Split(usage, "\n") {
		if i > 0 {
			m.say(".br\n")
		}
		m.say("%s\n", roff(line))
	}
}

// description writes prose, and indented examples.
func (m *man) description(text string) {
	example := false
	for line := range strings.SplitSeq(text, "\n") {
		switch indented := strings.HasPrefix(line, "  "); {
		case line == "":
			continue
		case indented && !example:
			m.say(".PP\n.RS 4\n.EX\n")
		case !indented && example:
			m.say(".EE\n.RE\n.PP\n")
		}
		example = strings.HasPrefix(line, "  ")
		m.say("%s\n", roff(strings.TrimSpace(line)))
	}
	if example {
		m.say(".EE\n.RE\n")
	}
}

func (m *man) command(name string, c *cli.Command) {
	m.say(".SS \"%s\"\n", roff(name))
	m.synopsis(c.UsageText)
	m.say(".PP\n%s%s.", strings.ToUpper(c.Usage[:1]), roff(c.Usage[1:]))
	if len(c.Aliases) > 0 {
		m.say(" Also: %s.", strings.Join(c.Aliases, ", "))
	}
	m.say("\n")
	if c.Description != "" {
		m.say(".PP\n")
		m.description(c.Description)
	}
	m.flags(c.Flags)
}

func (m *man) flags(flags []cli.Flag) {
	for _, f := range flags {
		if doc, ok := f.(cli.DocGenerationFlag); ok && f != cli.HelpFlag {
			name, usage := help.Flag(f, doc)
			m.item(name, usage)
		}
	}
}

func (m *man) item(name, text string) {
	m.say(".TP\n\\fB%s\\fR\n%s\n", roff(name), roff(text))
}

// roff escapes text, so that it appears in a page unchanged.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

// man prints no warnings about the page, and shows the important parts.
func TestManPage(t *testing.T) {
	t.Parallel()
	show := exec.CommandContext(t.Context(), need.Tools(t, "man"), "--warnings=w", "-E", "UTF-8", "-l", filepath.Join("..", "..", "docs", "artifetch.1"))
	show.Env = append(show.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8", "MAN_KEEP_STDERR=1", "MANPAGER=cat", "GROFF_NO_SGR=1", "TERM=dumb")
	var said strings.Builder
	show.Stderr = &said
	page, err := show.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("%v: %s", err, said.String())
	}
	for _, want := range []string{"SYNOPSIS\n       artifetch [global flags] COMMAND", "\n       -r, --ref REF\n              branch or tag REF", "\n       130    interrupted"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("it lacks %q", want)
		}
	}
}
