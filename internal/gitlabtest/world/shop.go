package world

import "time"

// ShopJobToken is the token of job 5701, which runs in a merge train.
const ShopJobToken = "glcbt-64_fixtureJobTokenOfShop"

// The commits of project 5. Main leads from shopRoot to shopMain; the branch feature/cart
// starts at shopSecond.
const (
	shopRoot    = "5000000000000000000000000000000000000001"
	shopSecond  = "5000000000000000000000000000000000000002"
	shopThird   = "5000000000000000000000000000000000000003"
	shopMain    = "5000000000000000000000000000000000000004"
	shopCart    = "5000000000000000000000000000000000000011"
	shopCartTop = "5000000000000000000000000000000000000012"
	shopMerged  = "5000000000000000000000000000000000000021" // shopMain and shopCartTop
	shopTrain   = "5000000000000000000000000000000000000022" // likewise, in the train
	shopGone    = "50000000000000000000000000000000000000ff" // before the rebase of feature/cart
)

// shopProject is project 5, group/shop: merge requests, schedules, manual jobs and
// reports.
func shopProject() *Project {
	return &Project{
		ID: 5, Path: "group/shop", Visibility: Private, DefaultBranch: "main",
		Heads:   map[string]string{"main": shopMain, "feature/cart": shopCartTop, "feature/left": ""},
		Commits: shopCommits(),
		MergeRequests: []*MergeRequest{
			{IID: 3, Title: "A cart", SourceBranch: "feature/cart", TargetBranch: "main", SHA: shopCartTop, BaseSHA: shopSecond, StartSHA: shopMain, Shas: []string{shopGone, shopCart, shopCartTop}, CreatedAt: shopDay(2)},
			{IID: 4, Title: "Left", State: "closed", SourceBranch: "feature/left", TargetBranch: "main", SHA: shopGone, BaseSHA: shopRoot, CreatedAt: shopDay(1)},
		},
		Pipelines: shopPipelines(),
	}
}

func shopDay(n int) time.Time { return time.Date(2026, 4, n, 8, 0, 0, 0, time.UTC) }

func shopCommits() []*Commit {
	commit := func(day int, id string, parents ...string) *Commit {
		return &Commit{ID: id, Parents: parents, Title: "Change " + id[36:], Author: FixtureUser, CreatedAt: shopDay(day)}
	}
	return []*Commit{
		commit(1, shopRoot), commit(3, shopSecond, shopRoot), commit(5, shopThird, shopSecond), commit(6, shopMain, shopThird),
		commit(4, shopCart, shopSecond), commit(8, shopCartTop, shopCart),
		commit(10, shopMerged, shopMain, shopCartTop), commit(11, shopTrain, shopMain, shopCartTop),
		{ID: shopGone, Parents: []string{shopRoot}, Gone: true},
	}
}

func shopPipelines() []*Pipeline {
	run := func(id int64, day int, ref, sha, status, source string, jobs ...*Job) *Pipeline {
		return &Pipeline{ID: id, Ref: ref, SHA: sha, Status: status, Source: source, CreatedAt: shopDay(day), Jobs: jobs}
	}
	const merge = "merge_request_event"
	schedule := run(520, 5, "main", shopThird, "success", "schedule", job(5201, "nightly"), job(5202, "build"))
	schedule.Schedule = "every night"
	blocked := run(540, 7, "main", shopMain, "manual", "push", job(5401, "build"),
		&Job{ID: 5402, Name: "approve", Stage: "approve", Status: "manual", Inputs: shopInputs()},
		&Job{ID: 5403, Name: "release", Stage: "release", Status: "created"},
		&Job{ID: 5404, Name: "tidy", Status: "manual", AllowFailure: true})
	blocked.Follows = true
	return []*Pipeline{ // newer pipelines and jobs have higher IDs
		run(500, 1, "main", shopRoot, "success", "push", job(5001, "build"), shopTests()),
		run(505, 2, "feature/left", shopGone, "success", "web", job(5051, "build")),
		run(510, 3, "main", shopSecond, "success", "push", job(5101, "build"), job(5102, "benchmark"),
			&Job{ID: 5103, Name: "lint", Status: "failed", Archive: named("lint", 5103), Retried: true},
			// Retried days later, so it is younger than the jobs of later pipelines.
			&Job{ID: 5999, Name: "lint", Archive: named("lint", 5999), CreatedAt: shopDay(12)}),
		run(515, 4, "feature/cart", shopGone, "success", "push", job(5151, "build")),
		schedule,
		run(530, 6, "main", shopMain, "failed", "push", job(5301, "build"), &Job{ID: 5302, Name: "test", Status: "failed"}),
		blocked,
		run(545, 8, "feature/cart", shopCartTop, "success", "push", job(5451, "build")),
		run(550, 9, "refs/merge-requests/3/head", shopCartTop, "success", merge, job(5501, "build"), job(5502, "only-head")),
		run(560, 10, "refs/merge-requests/3/merge", shopMerged, "success", merge, job(5601, "build")),
		run(570, 11, "refs/merge-requests/3/train", shopTrain, "running", merge, &Job{ID: 5701, Name: "verify", Status: "running"}, job(5702, "build")),
	}
}

func shopInputs() map[string]Input {
	return map[string]Input{
		"target":   {Default: "staging", Options: []any{"staging", "production"}},
		"replicas": {Type: "number", Default: 3.0},
		"verbose":  {Type: "boolean", Default: false},
	}
}

// shopTests is a job with reports of every format and access level.
func shopTests() *Job {
	coverage := 81.25
	return &Job{
		ID: 5002, Name: "test", Coverage: &coverage, Tags: []string{"linux", "docker"},
		Archive: named("test", 5002),
		Artifacts: []*Artifact{
			{Type: "junit", Files: []File{
				{Name: "reports/unit.xml", Content: "<testsuites name=\"unit\"/>\n"},
				{Name: "reports/prüfung 100%.xml", Content: "<testsuites name=\"prüfung\"/>\n"},
			}},
			{Type: "sast", Files: []File{{Name: "gl-sast-report.json", Content: "{\"vulnerabilities\":[]}\n"}}},
			{Type: "lsif", Files: []File{{Name: "dump.lsif", Content: "{}\n"}, {Name: "docs/index.json", Content: "[]\n"}}},
			{Type: "dotenv", Access: "developer", Files: []File{{Name: "build.env", Content: "VERSION=1\n"}}},
			{Type: "codequality", Access: "maintainer", Files: []File{{Name: "gl-code-quality-report.json", Content: "[]\n"}}},
			{Type: "cobertura", Access: "none", Files: []File{{Name: "coverage.xml", Content: "<coverage/>\n"}}},
			{Type: "terraform", Files: []File{{Name: "tfplan.json", Content: "{}\n"}}}, // not downloadable
		},
	}
}
