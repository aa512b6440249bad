package retrieve

import (
	"context"
	"errors"
	"strings"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/resolve"
)

// collided names the jobs whose files would have the same path, if err is about that. It
// would take too much memory to record which archive staged each file; for three or more
// jobs, it looks into the archives.
func (r *run) collided(ctx context.Context, err error, artifacts []resolve.Artifact) error {
	conflict, ok := errors.AsType[*extract.ConflictError](err)
	if !ok || !conflict.Twice || len(artifacts) < 2 || r.o.Output.template != "" {
		return err
	}
	found := &CollisionError{Dir: r.o.Output.Dir, Err: conflict}
	if conflict.By != "" {
		found.Jobs = append(found.Jobs, conflict.By)
	}
	for _, a := range artifacts {
		if len(found.Jobs) == 2 {
			break
		}
		if a.Label() != conflict.By && (len(artifacts) == 2 || r.has(ctx, a, conflict.Path)) {
			found.Jobs = append(found.Jobs, a.Label())
		}
	}
	return found
}

// has reports whether the archive of a puts something at a path. It reads the archive's
// directory; if that would download the whole archive, it returns false.
func (r *run) has(ctx context.Context, a resolve.Artifact, path string) bool {
	file, _, err := Inspector{r.loader.Opener}.openOne(ctx, r.o.Query, a, true)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // only read
	sel := r.o.Extract.Selection
	sel.Include = []string{literal.Replace(path)}
	_, err = extract.List(ctx, file, sel)
	return err == nil
}

// literal escapes a path to a glob that matches nothing else.
var literal = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "{", `\{`)
