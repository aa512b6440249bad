// Package complete answers the completion scripts of shells.
//
// A script runs "artifetch __complete SHELL WORD…" at each tab. The last word is the one
// that is being written. The answer has a line for each word that it could become, with
// its meaning after a tab; the line ":files" stands for names of files. bash.go reads
// the whole line that bash gives instead of words. Which words there are is the
// caller's to know.
package complete

import (
	_ "embed" // of the scripts
	"fmt"
	"io"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

//go:embed scripts/bash.sh
var bashScript string

//go:embed scripts/zsh.sh
var zshScript string

//go:embed scripts/fish.fish
var fishScript string

//go:embed scripts/powershell.ps1
var powershellScript string

// Shells returns the names of the shells that there is a script for.
func Shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// Script returns the script of a shell, or "".
func Script(shell string) string {
	return map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript}[shell]
}

// Command is the word that the scripts say.
const Command = "__complete"

// Word is what a word could become.
type Word struct{ Text, About string }

// File stands for names of files.
var File = Word{Text: ":files"}

// Texts returns words without a meaning.
func Texts(values ...string) []Word {
	words := make([]Word, len(values))
	for i, v := range values {
		words[i] = Word{Text: v}
	}
	return words
}

// Starting returns the words that begin with prefix, with lead before each.
func Starting(words []Word, prefix, lead string) []Word {
	var fit []Word
	for _, w := range words {
		if w == File || strings.HasPrefix(w.Text, prefix) {
			if w != File {
				w.Text = lead + w.Text
			}
			fit = append(fit, w)
		}
	}
	return fit
}

// Answer answers a script: args are the shell and the words. candidates lists what
// current could become after the words before it. There is no one to report its errors
// to: it leaves out what it can't find out.
func Answer(args []string, out io.Writer, candidates func(before []string, current string) []Word) error {
	if len(args) < 2 {
		return nil
	}
	show := func(w Word) string { return w.Text + "\t" + w.About }
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
	for _, w := range candidates(words[:last], words[last]) {
		if w != File && printable.HasHidden(w.Text) {
			continue // a terminal would obey it, and a shell would split it
		}
		text := w.Text
		if w != File {
			w.About = printable.Text(w.About)
			text = strings.TrimRight(show(w), "\t")
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
	}
	return nil
}
