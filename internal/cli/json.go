package cli

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// encode prints a result as JSON, indented for people.
func encode(c *cli.Context, v any) error { return encodeJSON(masked(c), v, "  ") }

// encodeLine prints a result as one line of JSON.
func encodeLine(out io.Writer, v any) error { return encodeJSON(out, v, "") }

func encodeJSON(out io.Writer, v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := out.Write(printable.JSON(b.Bytes()))
	return err
}

// jsonLines escapes characters in JSON log lines that zerolog doesn't escape.
type jsonLines struct{ out io.Writer }

// Write implements [io.Writer]; one call is one line.
func (j jsonLines) Write(p []byte) (int, error) {
	if _, err := j.out.Write(printable.JSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
