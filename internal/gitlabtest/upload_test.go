package gitlabtest_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/asked"
)

// upload sends a file as the runner does (network/gitlab.go of GitLab Runner): parameters
// in the query, the file in a form. fields are added to the form.
func upload(t *testing.T, address, name, content string, fields map[string]string, header ...string) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for field, value := range fields {
		if err := form.WriteField(field, value); err != nil {
			t.Fatal(err)
		}
	}
	if name != "" {
		part, err := form.CreateFormFile("file", name)
		if err == nil {
			_, err = io.WriteString(part, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content2, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(content2)}
}

// TestUpload tests POST /jobs/:id/artifacts: every route serves the uploaded file with
// its name, format, access level and expiry.
func TestUpload(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := start(t, gitlabtest.Options{Now: func() time.Time { return now }})
	address := s.APIURL + "/jobs/5701/artifacts"
	archive := string(gitlabtest.Zip(gitlabtest.File{Name: "big.bin", Content: strings.Repeat("0123456789abcdef", 1<<17), Store: true})) // more than 1 MiB
	junit := string(gitlabtest.Gzipped(gitlabtest.File{Name: "out/junit.xml", Content: "<testsuites/>"}))
	if got := upload(t, address+"?artifact_format=zip&artifact_type=archive&expire_in=1+week", "verify.zip", archive, nil, shopJob...); got.status != 201 {
		t.Fatalf("the archive: %d %s", got.status, got.body)
	}
	if got := upload(t, address, "junit.xml.gz", junit, map[string]string{"artifact_format": "gzip", "artifact_type": "junit", "accessibility": "private", "token": gitlabtest.ShopJobToken}); got.status != 201 {
		t.Fatalf("a report: %d %s", got.status, got.body)
	}
	for path, want := range map[string]string{
		"projects/5/jobs/5701/artifacts": archive, "jobs/5701/artifacts": archive, "projects/5/jobs/5701/artifacts?file_type=junit": junit,
	} {
		if got := ask(t, s.APIURL+"/"+path, shopJob...); got.status != 200 || got.body != want {
			t.Errorf("%s: %d, %d bytes", path, got.status, len(got.body))
		}
	}
	job := ask(t, s.APIURL+"/projects/5/jobs/5701", credentials["private"]...).body
	for _, want := range []string{
		`"artifacts_file":{"filename":"verify.zip"`, `"artifacts_expire_at":"2026-07-01T12:00:00Z"`, // the last upload used the default
		`"file_type":"junit"`, `"filename":"junit.xml.gz","file_format":"gzip"`,
	} {
		if !strings.Contains(job, want) {
			t.Errorf("%s is missing: %s", want, job)
		}
	}
	s.Update(func(w *gitlabtest.World) { w.Projects[4].Visibility = gitlabtest.Public })
	if got := ask(t, s.APIURL+"/projects/5/jobs/5701/artifacts?file_type=junit"); got.status != 403 {
		t.Errorf("a private report, anonymously: %d", got.status)
	}
	if got := s.Counts(); got[asked.Upload] != 2 || got[asked.Report] != 2 || got[asked.Runner] != 1 {
		t.Errorf("counts: %v", got)
	}
}

// Uploads that are refused: lib/api/ci/runner.rb,
// app/services/ci/job_artifacts/create_service.rb.
func TestUploadRefusals(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{MaxArtifact: 100})
	at := func(id, query string) string { return s.APIURL + "/jobs/" + id + "/artifacts" + query }
	tests := []struct {
		address, name, content string
		header                 []string
		status                 int
		body                   string
	}{
		{at("x", ""), "a.zip", "a", shopJob, 400, `{"error":"id is invalid"}`},
		{at("5701", ""), "", "", shopJob, 400, `{"error":"file is missing"}`},
		{at("5701", "?artifact_type=nonsense"), "a.zip", "a", shopJob, 400, `{"error":"artifact_type does not have a valid value"}`},
		{at("5701", "?artifact_format=tar"), "a.zip", "a", shopJob, 400, `{"error":"artifact_format does not have a valid value"}`},
		{at("5701", ""), "a.zip", "a", nil, 403, `{"message":"403 Forbidden"}`},
		{at("5701", ""), "a.zip", "a", credentials["job"], 403, `{"message":"403 Forbidden"}`}, // the token of another job
		{at("5701", ""), "a.zip", "a", credentials["private"], 403, `{"message":"403 Forbidden"}`},
		{at("9999", ""), "a.zip", "a", shopJob, 403, `{"message":"403 Forbidden"}`},
		{at("1301", ""), "a.zip", "a", credentials["dead job"], 403, `{"message":"403 Forbidden - Job is not processing on runner"}`},
		{at("5701", ""), "a.zip", strings.Repeat("a", 101), shopJob, 413, `{"message":"file size has reached maximum size limit"}`},
		{at("5701", "?expire_in=soon"), "a.zip", "a", shopJob, 500, `{"message":"500 Internal Server Error"}`},
		{at("5701", "?expire_in=never"), "a.zip", "a", shopJob, 201, `"201"`},
		{at("5701", ""), "a.zip", "a", shopJob, 201, `"201"`}, // the same file again
		{at("5701", ""), "a.zip", "b", shopJob, 400, `{"message":"another artifact of the same type already exists"}`},
		{at("5701", "?artifact_type=junit&artifact_format=gzip"), "a.gz", "a", shopJob, 201, `"201"`},
		{at("5701", "?artifact_type=junit&artifact_format=gzip"), "a.gz", "b", shopJob, 400, `{"message":"another artifact of the same type already exists"}`},
		{at("5701", "/authorize"), "a.zip", "a", shopJob, 403, `{"message":"403 Forbidden"}`}, // only for Workhorse
	}
	for _, tt := range tests {
		if got := upload(t, tt.address, tt.name, tt.content, nil, tt.header...); got.status != tt.status || got.body != tt.body {
			t.Errorf("%s, %d bytes of %q: %d %s, want %d %s", tt.address, len(tt.content), tt.name, got.status, got.body, tt.status, tt.body)
		}
	}
	if got := ask(t, s.APIURL+"/projects/5/jobs/5701", credentials["private"]...).body; !strings.Contains(got, `"artifacts_expire_at":"20`) {
		t.Errorf("the report's expiry: %s", got)
	}
	s.Update(func(w *gitlabtest.World) { w.Token(gitlabtest.ShopJobToken).Dead = true })
	if got := upload(t, at("5701", ""), "a", "a", nil, shopJob...); got.status != 403 || !strings.Contains(got.body, "Job token has expired") || got.header.Get("Job-Status") != "running" {
		t.Errorf("a token that has expired: %d %s", got.status, got.body)
	}
	s.Update(func(w *gitlabtest.World) { job, _, _ := w.Job(5701); job.Erased = true })
	if got := upload(t, at("5701", ""), "a", "a", nil, shopJob...); got.body != `{"message":"403 Forbidden - Job has been erased!"}` {
		t.Errorf("an erased job: %d %s", got.status, got.body)
	}
}

// expire_in in the forms that people use.
func TestExpireIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]string{
		"": "2026-07-01T12:00:00Z", "42": "2026-06-01T12:00:42Z", "3 mins 4 sec": "2026-06-01T12:03:04Z", "2 hrs 20 min": "2026-06-01T14:20:00Z",
		"2h20min": "2026-06-01T14:20:00Z", "6 mos 1 day": "2026-11-29T12:00:00Z", "3 weeks and 2 days": "", "1 day": "2026-06-02T12:00:00Z",
		"Never": "null", "-1": "", "1 fortnight": "", "week": "",
	} {
		s := start(t, gitlabtest.Options{Now: func() time.Time { return now }})
		got := upload(t, s.APIURL+"/jobs/5701/artifacts", "a.zip", "a", map[string]string{"expire_in": value}, shopJob...)
		if (got.status == 201) != (want != "") {
			t.Errorf("%q: %d %s", value, got.status, got.body)
			continue
		}
		quoted := `"artifacts_expire_at":"` + want + `"`
		if want == "null" {
			quoted = `"artifacts_expire_at":null`
		}
		if job := ask(t, s.APIURL+"/projects/5/jobs/5701", credentials["private"]...).body; want != "" && !strings.Contains(job, quoted) {
			t.Errorf("%q: %s", value, job)
		}
	}
}
