package extract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Statement is a runner's statement about the files that a job uploaded. It is part of
// the archive that it describes, and isn't signed: it reveals damage and mixed-up
// archives, but not a job that lies.
// https://docs.gitlab.com/ci/runners/configure_runners/#artifact-provenance-metadata
type Statement struct {
	Name    string            // of its entry
	Digests map[string]string // SHA-256 by name, in lower-case hexadecimal
	Source  string            // address of the project
	Commit  string
	Job     string // id
	JobName string
}

const (
	statementEnd = "-metadata.json" // it follows the name of the artifacts
	maxStatement = 64 << 20         // bytes; about 150 for each file
)

// in-toto v0.1, with the predicate of SLSA v1 as GitLab Runner fills it.
// https://gitlab.com/gitlab-org/gitlab-runner/-/blob/main/PROVENANCE.md
type statement struct {
	Type          string `json:"_type"`
	PredicateType string `json:"predicateType"`
	Subject       []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	Predicate struct {
		BuildDefinition struct {
			ExternalParameters struct {
				EntryPoint string `json:"entryPoint"`
				Source     string `json:"source"`
			} `json:"externalParameters"`
			ResolvedDependencies []struct {
				Digest map[string]string `json:"digest"`
			} `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		RunDetails struct {
			Metadata struct {
				InvocationID string `json:"invocationID"`
			} `json:"metadata"`
		} `json:"runDetails"`
	} `json:"predicate"`
}

// ReadStatement finds the runner's statement in a ZIP archive. If it is missing, the
// error is a [*ProvenanceError].
func ReadStatement(ctx context.Context, src Source) (Statement, error) {
	listed, err := List(ctx, src, Selection{Include: []string{"*" + statementEnd}})
	_, none := errors.AsType[*NoMatchError](err)
	if _, other := errors.AsType[*NotZipError](err); none || other {
		err = nil
	}
	if err != nil {
		return Statement{}, err
	}
	for _, e := range listed {
		if e.Size > maxStatement || e.Mode.Type() != 0 {
			continue
		}
		var text bytes.Buffer
		if err := Cat(ctx, src, e.Name, &text); err != nil {
			return Statement{}, err
		}
		if s, ok := parseStatement(text.Bytes()); ok {
			s.Name = e.Name
			own := sha256.Sum256(text.Bytes()) // the statement can't list itself
			s.Digests[e.Name] = hex.EncodeToString(own[:])
			return s, nil
		}
	}
	return Statement{}, &ProvenanceError{}
}

func parseStatement(text []byte) (Statement, bool) {
	var raw statement
	if json.Unmarshal(text, &raw) != nil || !strings.HasPrefix(raw.Type, "https://in-toto.io/Statement/") || !strings.HasPrefix(raw.PredicateType, "https://slsa.dev/provenance/") {
		return Statement{}, false
	}
	s := Statement{
		Digests: map[string]string{},
		Source:  raw.Predicate.BuildDefinition.ExternalParameters.Source,
		Job:     raw.Predicate.RunDetails.Metadata.InvocationID,
		JobName: raw.Predicate.BuildDefinition.ExternalParameters.EntryPoint,
	}
	for _, subject := range raw.Subject {
		s.Digests[strings.TrimPrefix(subject.Name, "./")] = strings.ToLower(subject.Digest["sha256"])
	}
	for _, d := range raw.Predicate.BuildDefinition.ResolvedDependencies {
		// Runners put the commit under "sha256", whatever its length.
		s.Commit = strings.ToLower(d.Digest["sha256"])
	}
	return s, true
}

// Expect returns an error if the statement contradicts what is known about the job.
// Empty strings are unknown.
func (s Statement) Expect(commit, job, jobName, project string) error {
	for _, fact := range []struct{ what, said, known string }{
		{"commit", s.Commit, strings.ToLower(commit)}, {"job id", s.Job, job}, {"job", s.JobName, jobName},
	} {
		if fact.known != "" && fact.said != fact.known {
			return &ProvenanceError{fmt.Sprintf("its %s is %q, not %q", fact.what, fact.said, fact.known)}
		}
	}
	if project != "" && !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(s.Source, "/")), "/"+strings.ToLower(project)) {
		return &ProvenanceError{fmt.Sprintf("its project is %s, not %s", s.Source, project)}
	}
	return nil
}

// ProvenanceError reports an archive that has no provenance statement, or contradicts it.
type ProvenanceError struct {
	What string // how it contradicts the statement; empty if the archive has none
}

// Error implements error.
func (e *ProvenanceError) Error() string {
	if e.What == "" {
		return "the archive has no provenance statement"
	}
	return "the provenance statement doesn't match: " + e.What
}

// Hint says what to do next.
func (e *ProvenanceError) Hint() string {
	if e.What == "" {
		return "nothing was extracted; set RUNNER_GENERATE_ARTIFACTS_METADATA to true in the job that creates the archive, and re-run it"
	}
	return "nothing was extracted; the archive or its statement was changed after the job, or belongs to another job"
}
