// Package help prints the help of commands. The library's own is longer than a screen:
// it repeats the names of flags that may be given several times, sorts categories by
// name, and breaks no line. Print takes the place of its printer for all commands.
package help

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
)

// Categories of flags, in the order in which they are shown.
const (
	Which    = "Which job:"
	Select   = "Which files, and where to:"
	Transfer = "Transfer and limits:"
	Server   = "Server and token:"
	Output   = "Output:"
)

// Print prints the help of an app or a command.
func Print(w io.Writer, _ string, what any) { _, _ = io.WriteString(w, Page(what)) }

// width is how wide help is, in characters.
const width = 100

// Page is the help of an app or a command.
func Page(what any) string {
	var b strings.Builder
	switch c := what.(type) {
	case *cli.App:
		_, _ = fmt.Fprintf(&b, "%s\n\n%s.\n\nCommands:\n", c.UsageText, sentence(c.Usage))
		commandRows(&b, c.Commands)
		flagRows(&b, c.Flags)
		_, _ = fmt.Fprintf(&b, "\n%s\nartifetch COMMAND --help says more about a command.\n", c.Description)
	case *cli.Command:
		_, _ = fmt.Fprintf(&b, "%s\n%s.", c.UsageText, sentence(c.Usage))
		if len(c.Aliases) > 0 {
			_, _ = fmt.Fprintf(&b, " Also: %s.", strings.Join(c.Aliases, ", "))
		}
		b.WriteByte('\n')
		if c.Description != "" {
			_, _ = fmt.Fprintf(&b, "\n%s\n", c.Description)
		}
		if len(c.Subcommands) > 0 {
			b.WriteString("\nCommands:\n")
			commandRows(&b, c.Subcommands)
		}
		flagRows(&b, c.Flags)
		b.WriteString("\nartifetch --help lists the flags of every command.\n")
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

// flagRows lists flags under their categories, in the order in which a query is
// written.
func flagRows(b *strings.Builder, flags []cli.Flag) {
	gap := "\n"
	for _, category := range []string{"", Which, Select, Transfer, Server, Output} {
		var rows [][2]string
		for _, f := range flags {
			doc, ok := f.(cli.DocGenerationFlag)
			if ok && categoryOf(f) == category && f != cli.HelpFlag {
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

// defaultOf returns the default, or "" if there is none worth showing.
func defaultOf(doc cli.DocGenerationFlag) string {
	switch value := doc.GetDefaultText(); value {
	case `""`, "false", "[]", "0", "none", "any", "no time", "never":
		return ""
	default:
		return strings.Trim(value, `"`)
	}
}

// Placeholder takes the word between grave accents out of a usage.
func Placeholder(usage string) (word, text string) {
	before, rest, _ := strings.Cut(usage, "`")
	word, after, _ := strings.Cut(rest, "`")
	return word, before + word + after
}

// writeRows writes two columns, and breaks the second at blanks.
func writeRows(b *strings.Builder, rows [][2]string) {
	wide := 0
	for _, r := range rows {
		wide = max(wide, utf8.RuneCountInString(r[0]))
	}
	var lines [][]string
	for _, r := range rows {
		left, line := r[0], ""
		for word := range strings.FieldsSeq(r[1]) {
			if line != "" && wide+5+utf8.RuneCountInString(line+word) > width {
				lines = append(lines, []string{"  " + left, line})
				left, line = "", "  "
			}
			line += " " + word
			line = strings.TrimPrefix(line, " ")
		}
		lines = append(lines, []string{"  " + left, line})
	}
	b.WriteString(console.Align(lines))
}
