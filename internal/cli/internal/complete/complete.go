// Package complete answers the completion scripts of shells.
//
// A script runs "artifetch __complete SHELL WORD…" at each tab. The last word is
// incomplete. The answer has one line for each word that it could become, with its
// meaning after a tab; the line ":files" stands for file names. bash.go reads bash's
// whole line instead of words. The caller knows the possible words.
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

// Shells returns the names of the supported shells.
func Shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// Script returns the script of a shell, or "".
func Script(shell string) string {
	return map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript}[shell]
}

// Command is the hidden command that the scripts run.
const Command = "__complete"

// Word is a possible completion.
type Word struct{ Text, About string }

// File stands for file names.
var File = Word{Text: ":files"}

// Texts returns words without meanings.
func Texts(values ...string) []Word {
	words := make([]Word, len(values))
	for i, v := range values {
		words[i] = Word{Text: v}
	}
	return words
}

// Starting returns the words that start with prefix, each after lead.
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
// current could become after the words before it. It can't report errors, so it omits
// what it can't find out.
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
		words[last] = "" // the shell drops an empty word
	}
	for _, w := range candidates(words[:last], words[last]) {
		if w != File && printable.HasHidden(w.Text) {
			continue // a terminal would execute it, and a shell would split it
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
