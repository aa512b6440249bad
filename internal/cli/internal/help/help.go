// Package help prints the help of commands. The library's own is longer than a screen:
// it repeats the names of flags that may be given several times, sorts categories by
// name, and breaks no line. Print takes the place of its printer for all commands.
//
//	help.go    pages about commands
//	topics.go  pages about something else, and the commands help and version
//	flags.go   which flags a page can do without
package help

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
)

// Categories of flags, in the order of the help.
const (
	Which    = "Which job:"
	Select   = "Which files, and where to:"
	Transfer = "Transfer and limits:"
	Server   = "Server and token:"
	Output   = "Output:"
)

// Print prints the help of an app or a command: all of it, if w is a [Whole] that says so.
func Print(w io.Writer, _ string, what any) {
	whole, ok := w.(Whole)
	_, _ = io.WriteString(w, Page(what, ok && whole.Whole()))
}

// Whole is a writer that knows whether help shows every flag.
type Whole interface{ Whole() bool }

// TakeAll removes --all from arguments that ask for help, and reports whether it was there.
func TakeAll(args []string) ([]string, bool) {
	options := args
	if end := slices.Index(args, "--"); end >= 0 {
		options = args[:end]
	}
	asks := slices.ContainsFunc(options, func(arg string) bool { return arg == "--help" || arg == "-h" })
	if !(asks || len(args) > 1 && args[1] == "help") || !slices.Contains(options, "--all") {
		return args, false
	}
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--all" }), true
}

// A page is as large as a terminal of the usual size, if it can be.
const (
	width  = 80 // characters
	height = 40 // lines
)

// Page is the help of an app or a command: with the flags that are needed often, or with
// all of them.
func Page(what any, all bool) string {
	page := pageOf(what, nil)
	if all || strings.Count(page, "\n") <= height {
		return page
	}
	return pageOf(what, rare)
}

// pageOf leaves out the flags that hide names.
func pageOf(what any, hide []string) string {
	var b strings.Builder
	switch c := what.(type) {
	case *cli.App:
		top(&b, c.UsageText, c.Usage, nil, c.Description)
		b.WriteString("Commands:\n")
		commandRows(&b, c.Commands)
		flagRows(&b, c.Flags, hide)
		b.WriteByte('\n')
		b.WriteString(wrap(more("artifetch", hide) + "About a command: artifetch help COMMAND. " + topics))
	case *cli.Command:
		top(&b, c.UsageText, c.Usage, c.Aliases, c.Description)
		if len(c.Subcommands) > 0 {
			b.WriteString("Commands:\n")
			commandRows(&b, c.Subcommands)
		}
		flagRows(&b, c.Flags, hide)
		b.WriteByte('\n')
		b.WriteString(wrap(more(command.FindString(c.UsageText), hide) + "Global flags: artifetch --help --all."))
	}
	return strings.ReplaceAll(b.String(), "\n\n\n", "\n\n")
}

// command is the beginning of a usage: the name of the command.
var command = regexp.MustCompile(`^[a-z]+( [a-z]+\b)*`)

// more says where the flags are that hide leaves out.
func more(command string, hide []string) string {
	if hide == nil {
		return ""
	}
	return "More: " + command + " --help --all. "
}

// top writes what a command is for, examples, and what else there is to say.
func top(b *strings.Builder, usage, summary string, aliases []string, description string) {
	_, _ = fmt.Fprintf(b, "%s\n%s.", usage, sentence(summary))
	if len(aliases) > 0 {
		_, _ = fmt.Fprintf(b, " Also: %s.", strings.Join(aliases, ", "))
	}
	b.WriteString("\n\n")
	prose, examples := split(description)
	if examples != "" {
		b.WriteString(examples + "\n")
	}
	if prose != "" {
		b.WriteString(prose + "\n")
	}
}

// split takes the examples out of a description: they are indented. It wraps the rest.
func split(description string) (prose, examples string) {
	var text []string
	for line := range strings.Lines(description) {
		if strings.HasPrefix(line, "  ") {
			examples += strings.TrimRight(line, "\n") + "\n"
		} else {
			text = append(text, line)
		}
	}
	if joined := strings.TrimSpace(strings.Join(text, "")); joined != "" {
		prose = wrap(joined)
	}
	return prose, examples
}

// wrap breaks text into lines at blanks. Empty lines stay.
func wrap(text string) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, line := range console.Fold(paragraph, width) {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func commandRows(b *strings.Builder, commands []*cli.Command) {
	rows := make([][2]string, 0, len(commands))
	for _, c := range commands {
		if !c.Hidden {
			rows = append(rows, [2]string{strings.Join(c.Names(), ", "), c.Usage})
		}
	}
	writeRows(b, rows)
}

// flagRows lists flags by category, in the order in which people write a query.
func flagRows(b *strings.Builder, flags []cli.Flag, hide []string) {
	gap := "\n"
	for _, category := range []string{"", Which, Select, Transfer, Server, Output} {
		var rows [][2]string
		for _, f := range flags {
			doc, ok := f.(cli.DocGenerationFlag)
			if ok && categoryOf(f) == category && f != cli.HelpFlag && !slices.Contains(hide, f.Names()[0]) {
				rows = append(rows, flagRow(f, doc))
			}
		}
		if len(rows) > 0 {
			_, _ = fmt.Fprintln(b, gap+cmp.Or(category, "Flags:"))
			gap = ""
			writeRows(b, rows)
		}
	}
}

func categoryOf(f cli.Flag) string {
	if c, ok := f.(cli.CategorizableFlag); ok {
		return c.GetCategory()
	}
	return ""
}

// Flag returns the names of a flag, with its value, and what it does.
func Flag(f cli.Flag, doc cli.DocGenerationFlag) (names, usage string) {
	row := flagRow(f, doc)
	return strings.TrimSpace(row[0]), row[1]
}

func flagRow(f cli.Flag, doc cli.DocGenerationFlag) [2]string {
	word, usage := Placeholder(doc.GetUsage())
	names := []string{}
	for _, name := range f.Names() {
		names = append(names, strings.Repeat("-", min(len(name), 2))+name)
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(a) - len(b) })
	if len(names[0]) > 2 {
		names[0] = "    " + names[0]
	}
	if value := defaultOf(doc); value != "" {
		usage += " (default: " + value + ")"
	}
	return [2]string{strings.TrimRight(strings.Join(names, ", ")+" "+word, " "), usage}
}

// defaultOf returns the default, or "" if it isn't worth showing.
func defaultOf(doc cli.DocGenerationFlag) string {
	switch value := doc.GetDefaultText(); value {
	case `""`, "false", "[]", "0", "none", "any", "no time", "never":
		return ""
	default:
		return strings.Trim(value, `"`)
	}
}

// Placeholder extracts the word in backquotes from a usage.
func Placeholder(usage string) (word, text string) {
	before, rest, _ := strings.Cut(usage, "`")
	word, after, _ := strings.Cut(rest, "`")
	return word, before + word + after
}

// writeRows writes two columns, and wraps the second at spaces.
func writeRows(b *strings.Builder, rows [][2]string) {
	wide := 0
	for _, r := range rows {
		wide = max(wide, utf8.RuneCountInString(r[0]))
	}
	var table [][]string
	for _, r := range rows {
		left := r[0]
		for i, line := range console.Fold(r[1], width-wide-len("  ")-len("  ")) {
			if i > 0 {
				left = ""
			}
			table = append(table, []string{"  " + left, line})
		}
	}
	b.WriteString(console.Align(table))
}
