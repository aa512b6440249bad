// Package meant writes the command line that a person probably meant, to be copied.
package meant

import (
	"regexp"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
)

// Line is a command and what the user typed after it.
type Line struct {
	Command string // with the program's name
	Typed   *arrange.Line
	Without []string // typed flags that don't go with what is proposed
}

// With returns the command with these flags, the other flags that were typed, and these
// arguments in place of the typed ones.
func (l Line) With(flags []string, args ...string) string {
	words := slices.Concat(flags, l.Typed.Others(slices.Concat(flags, l.Without)))
	if slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") }) {
		words = append(words, "--")
	}
	return Shown(l.Command, append(words, args...)...)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// Shown returns a command line for a shell.
func Shown(command string, words ...string) string {
	line := []string{command}
	for _, word := range words {
		if !plainWord.MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\\''`) + "'"
		}
		line = append(line, word)
	}
	return strings.Join(line, " ")
}
