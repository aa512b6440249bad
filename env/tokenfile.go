package env

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

// readNamed reads a file that the user named: it must exist and contain a token.
func readNamed(ctx context.Context, name, path string) (Secret, error) {
	if path == "" {
		return Secret{}, nil
	}
	value, err := readFile(ctx, path)
	switch {
	case ctx.Err() != nil:
		return Secret{}, context.Cause(ctx)
	case err != nil:
		return Secret{}, &UsageError{Name: name, Reason: "cannot be read: " + err.Error(), Fix: "check the path"}
	case value.IsZero():
		return Secret{}, &UsageError{Name: name, Reason: "names an empty file: " + path, Fix: "write the token into it"}
	}
	return value, nil
}

// readOptional reads a file that is used if it exists, such as the secret of a
// Dockerfile's RUN --mount=type=secret.
func readOptional(ctx context.Context, path string) (Secret, error) {
	value, err := readFile(ctx, path)
	switch {
	case ctx.Err() != nil:
		return Secret{}, context.Cause(ctx)
	case errors.Is(err, fs.ErrNotExist):
		return Secret{}, nil
	case err != nil:
		return Secret{}, &UsageError{Name: path, Reason: unreadable(path, err), Fix: "give another token, or fix the mode of the secret"}
	case value.IsZero():
		return Secret{}, &UsageError{Name: path, Reason: "is empty", Fix: "check the secret that is mounted there"}
	}
	return value, nil
}

// maxTokenFile is larger than any token, in bytes: a token must fit into a header.
const maxTokenFile = 64 << 10

// unreadable says why a file can't be read, in a sentence that starts with its path.
func unreadable(path string, err error) string {
	if rest, ok := strings.CutPrefix(err.Error(), path+" "); ok {
		return rest
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok && e.Path == path {
		err = e.Err
	}
	return "cannot be read: " + err.Error()
}

func readFile(ctx context.Context, path string) (Secret, error) {
	content, err := smallfile.Read(ctx, path, maxTokenFile)
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(strings.TrimSpace(string(content))), nil
}
