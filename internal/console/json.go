package console

import (
	"bytes"
	"encoding/json"
	"io"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// Encode prints a result as JSON, indented and masked.
func (c *Console) Encode(v any) error { return encode(c.Masked(), v, "  ") }

// EncodeLine prints a result as one line of JSON, masked.
func (c *Console) EncodeLine(v any) error { return encode(c.Masked(), v, "") }

func encode(out io.Writer, v any, indent string) error {
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

// Messages is standard error for messages in JSON: it escapes the hidden characters
// that their encoder leaves alone. One write is one line.
func (c *Console) Messages() io.Writer { return jsonLines{c.Err} }

type jsonLines struct{ out io.Writer }

// Write implements [io.Writer].
func (j jsonLines) Write(p []byte) (int, error) {
	if _, err := j.out.Write(printable.JSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
