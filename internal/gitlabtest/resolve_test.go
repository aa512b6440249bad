package gitlabtest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

func built(id int64, name string, change ...func(*gitlabtest.Job)) *gitlabtest.Job {
	j := &gitlabtest.Job{ID: id, Name: name, Archive: gitlabtest.Zip(gitlabtest.File{Name: "job.txt", Content: fmt.Sprint(id)})}
	for _, f := range change {
		f(j)
	}
	return j
}

func status(s string) func(*gitlabtest.Job) { return func(j *gitlabtest.Job) { j.Status = s } }
func retried(j *gitlabtest.Job)             { j.Retried = true }
func erased(j *gitlabtest.Job)              { j.Erased = true }
func reports(types ...string) func(*gitlabtest.Job) {
	return func(j *gitlabtest.Job) { j.Archive, j.Reports = nil, types }
}
func expired(j *gitlabtest.Job) {
	past := time.Now().Add(-time.Hour)
	j.ExpireAt = &past
}

func ran(id int64, jobs ...*gitlabtest.Job) *gitlabtest.Pipeline {
	return &gitlabtest.Pipeline{ID: id, Ref: "main", Status: "success", Jobs: jobs}
}

func from(source string, p *gitlabtest.Pipeline) *gitlabtest.Pipeline {
	p.Source = source
	return p
}

func ended(status string, p *gitlabtest.Pipeline) *gitlabtest.Pipeline {
	p.Status = status
	return p
}

func parent(p *gitlabtest.Pipeline, bridges ...*gitlabtest.Bridge) *gitlabtest.Pipeline {
	p.Bridges = bridges
	for _, b := range bridges {
		if b.Child != nil {
			b.Child.Source = "parent_pipeline"
		}
	}
	return p
}

func child(p *gitlabtest.Pipeline) *gitlabtest.Bridge {
	return &gitlabtest.Bridge{ID: 9000 + p.ID, Child: p}
}

func spawnedTwice(p *gitlabtest.Pipeline) *gitlabtest.Bridge {
	b := child(p)
	b.Retried = true
	return b
}

// TestByRefQuirks requests the job "build" of main in both ways: with the default search
// (Project#latest_successful_build_for_ref, app/models/project.rb) and with the recent
// one (app/models/ci/build.rb). It expects the ID in the archive, or the error.
func TestByRefQuirks(t *testing.T) {
	t.Parallel()
	const none, noRecent, noArchive = "404 Not found", "404 Job Not Found", "404 Not Found"
	other := ran(50, built(500, "build"))
	tests := []struct {
		name           string
		pipelines      []*gitlabtest.Pipeline
		latest, recent string
	}{
		{"newest by id", []*gitlabtest.Pipeline{ran(2, built(20, "build")), ran(3, built(30, "build")), ran(1, built(10, "build"))}, "30", "30"},
		{"a retried trigger's child shadows the new one's", []*gitlabtest.Pipeline{
			parent(ran(1), spawnedTwice(ran(2, built(20, "build"))), child(ran(3, built(30, "build")))),
		}, "20", "30"},
		{"a pipeline that runs again is passed over", []*gitlabtest.Pipeline{
			ran(1, built(10, "build")), ended("running", ran(2, built(20, "build"))),
		}, "10", "10"},
		{"blocked on manual jobs is not success", []*gitlabtest.Pipeline{
			ran(1, built(10, "build")), ended("manual", ran(2, built(20, "build"))),
		}, "10", "10"},
		{"of a retried job the newest attempt", []*gitlabtest.Pipeline{
			ran(1, built(10, "build", retried), built(11, "build")),
		}, "11", "10"}, // the recent search accepts any attempt
		{"all attempts retried", []*gitlabtest.Pipeline{ran(1, built(10, "build", retried))}, none, "10"},
		{"no way back to an older pipeline", []*gitlabtest.Pipeline{
			ran(1, built(10, "build")), ran(2, built(20, "lint")),
		}, none, "10"},
		{"a report alone is taken and has no archive", []*gitlabtest.Pipeline{
			parent(ran(1, built(10, "build", reports("junit"))), child(ran(2, built(20, "build")))),
		}, noArchive, "20"},
		{"a report that cannot be downloaded does not count", []*gitlabtest.Pipeline{
			parent(ran(1, built(10, "build", reports("terraform", "annotations"))), child(ran(2, built(20, "build")))),
		}, "20", "20"},
		{"expired and not purged", []*gitlabtest.Pipeline{ran(1, built(10, "build", expired))}, "10", "10"},
		{"erased with its reports", []*gitlabtest.Pipeline{
			ran(1, built(10, "build", func(j *gitlabtest.Job) { j.Erased, j.Reports = true, []string{"junit"} })),
		}, none, noRecent},
		{"erased in the parent", []*gitlabtest.Pipeline{
			parent(ran(1, built(10, "build", erased)), child(ran(2, built(20, "build")))),
		}, "20", "20"},
		{"the job's own status is not asked", []*gitlabtest.Pipeline{ran(1, built(10, "build", status("failed")))}, "10", noRecent},
		{"a child may still be running", []*gitlabtest.Pipeline{
			parent(ran(1), child(ended("running", ran(2, built(20, "build", status("running")))))),
		}, "20", noRecent},
		{"a parent before its child", []*gitlabtest.Pipeline{
			parent(ran(1, built(10, "build")), child(ran(2, built(20, "build")))),
		}, "10", "20"},
		{"depth does not matter, ids do", []*gitlabtest.Pipeline{
			parent(ran(1), child(parent(ran(5, built(51, "build")), child(ran(3, built(30, "build")))))),
		}, "30", "51"},
		{"a child is not chosen for itself", []*gitlabtest.Pipeline{
			ran(1, built(10, "build")),
			ended("failed", parent(ran(2), child(ran(3, built(30, "build"))))),
		}, "10", "30"},
		{"a child of another ref", []*gitlabtest.Pipeline{
			parent(ran(1), child(&gitlabtest.Pipeline{ID: 2, Ref: "other", Status: "success", Jobs: []*gitlabtest.Job{built(20, "build")}})),
		}, "20", noRecent},
		{"web IDE", []*gitlabtest.Pipeline{ran(1, built(10, "build")), from("webide", ran(2, built(20, "build")))}, "10", "20"},
		{"policies", []*gitlabtest.Pipeline{from("security_orchestration_policy", ran(2, built(20, "build")))}, none, "20"},
		{"merge requests", []*gitlabtest.Pipeline{from("merge_request_event", ran(2, built(20, "build")))}, "20", "20"},
		{"schedules", []*gitlabtest.Pipeline{from("schedule", ran(2, built(20, "build")))}, "20", "20"},
		{"multi-project", []*gitlabtest.Pipeline{
			parent(ran(1), &gitlabtest.Bridge{ID: 9001, DownstreamProject: 2, Downstream: other}),
		}, none, noRecent},
		{"nothing", nil, none, noRecent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := byRefServer(t, tt.pipelines, other)
			for recent, want := range map[string]string{"false": tt.latest, "true": tt.recent} {
				got := byRefAsk(t, s, "main", recent)
				if got != want {
					t.Errorf("recent=%s: %s, want %s", recent, got, want)
				}
			}
		})
	}
}

func byRefServer(t *testing.T, pipelines []*gitlabtest.Pipeline, other *gitlabtest.Pipeline) *gitlabtest.Running {
	t.Helper()
	s := gitlabtest.Start(&gitlabtest.World{Projects: []*gitlabtest.Project{
		{ID: 1, Path: "g/p", Visibility: gitlabtest.Public, Pipelines: pipelines},
		{ID: 2, Path: "g/other", Visibility: gitlabtest.Public, Pipelines: []*gitlabtest.Pipeline{other}},
	}}, gitlabtest.Options{})
	t.Cleanup(s.Close)
	return s
}

// byRefAsk returns the content of job.txt, or the error's message; both routes must
// agree.
func byRefAsk(t *testing.T, s *gitlabtest.Running, ref, recent string) string {
	t.Helper()
	base := s.APIURL + "/projects/1/jobs/artifacts/" + url.PathEscape(ref)
	query := "?job=build&search_recent_successful_pipelines=" + recent
	file, archive := ask(t, base+"/raw/job.txt"+query), ask(t, base+"/download"+query)
	if file.status != archive.status {
		t.Errorf("the file has %d, the archive %d", file.status, archive.status)
	}
	return strings.TrimSuffix(strings.TrimPrefix(file.body, `{"message":"`), `"}`)
}

// A ref is compared literally: tag or branch, no short forms, no commits.
func TestRefs(t *testing.T) {
	t.Parallel()
	branch, tag, mr := ran(1, built(10, "build")), ran(2, built(20, "build")), ran(3, built(30, "build"))
	branch.Ref, tag.Ref, mr.Ref, branch.SHA = "twin", "twin", "refs/merge-requests/7/head", strings.Repeat("a", 40)
	s := byRefServer(t, []*gitlabtest.Pipeline{branch, tag, mr}, ran(50))
	for ref, want := range map[string]string{
		"twin": "20", "refs/merge-requests/7/head": "30",
		"refs/heads/twin": "404 Not found", "HEAD": "404 Not found", "Twin": "404 Not found", branch.SHA: "404 Not found",
	} {
		if got := byRefAsk(t, s, ref, "false"); got != want {
			t.Errorf("%s: %s, want %s", ref, got, want)
		}
	}
}

// The recent search stops after a hundred pipelines.
func TestRecentHundred(t *testing.T) {
	t.Parallel()
	for between, want := range map[int64]string{99: "10", 100: "404 Job Not Found"} {
		pipelines := []*gitlabtest.Pipeline{ran(1, built(10, "build"))}
		for i := range between {
			pipelines = append(pipelines, ran(2+i))
		}
		if got := byRefAsk(t, byRefServer(t, pipelines, ran(500)), "main", "true"); got != want {
			t.Errorf("%d pipelines in between: %s, want %s", between, got, want)
		}
	}
}

// Expiry and locks: the archive ignores them; a file by job ID doesn't; the entity has
// the file until it expires.
func TestExpiry(t *testing.T) {
	t.Parallel()
	gone, kept := ran(1, built(10, "build", expired)), ran(2, built(20, "build", expired))
	kept.Locked = true
	s := byRefServer(t, []*gitlabtest.Pipeline{gone, kept}, ran(50, built(500, "build", erased)))
	for path, want := range map[string]int{
		"jobs/10/artifacts": 200, "jobs/20/artifacts": 200,
		"jobs/10/artifacts/job.txt": 404, "jobs/20/artifacts/job.txt": 200,
	} {
		if got := ask(t, s.APIURL+"/projects/1/"+path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	list := ask(t, s.APIURL+"/projects/1/pipelines/2/jobs").body
	if strings.Contains(list, `"artifacts_file"`) || !strings.Contains(list, `"file_type":"archive"`) {
		t.Errorf("expired: %s", list)
	}
	list = ask(t, s.APIURL+"/projects/2/pipelines/50/jobs").body
	if !strings.Contains(list, `"artifacts":[]`) || strings.Contains(list, `"erased_at":null`) {
		t.Errorf("erased: %s", list)
	}
}
