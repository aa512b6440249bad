package world

import (
	"fmt"
	"strings"
	"time"
)

// The tokens of [Fixture].
const (
	JobToken            = "glcbt-64_fixtureJobTokenOfApp"
	DeadJobToken        = "glcbt-64_fixtureDeadJobToken1"
	PrivateToken        = "glpat-fixturePrivateToken1"
	ExpiredPrivateToken = "glpat-fixtureExpiredToken1"
	NarrowToken         = "glpat-fixtureNarrowScope01"   // can only read repositories
	GranularToken       = "glpat-fixtureFineGrained01"   // can read jobs, but neither pipelines nor artifacts
	InstanceJobToken    = "mycorp-glcbt-64_fixtureToken" // a job token with the instance's own prefix
	BearerToken         = "fixture0auth0token0of0a0user"
)

// Fixture is the world of the command tests and the demo.
//
//	project             ref                 pipeline        jobs
//	1 group/app         main                90  success     build 901 (old)
//	  private                               100 success     build 1001, report 1002, test 1/3 … 3/3 1003–1005,
//	                                                        build: [linux, amd64] 1006, build: [linux, arm64] 1007,
//	                                                        flaky 1008 (failed, allowed), lint 1009 (junit report only),
//	                                                        expired 1010, erased 1011, twin 1012 (retried as 1013),
//	                                                        odd names 1014–1019
//	                                        ├ 101 success   build 1101 (the parent's wins), child-only 1102
//	                                        │ └ 102 success grandchild-only 1201
//	                                        110 failed      build 1301, main-only-newer 1302
//	                                        120 running     build 1401 (running)
//	                    v1.0                103 success     build 1501 (tag)
//	                    release/2.x         104 success     build 1601
//	                    refs/merge-requests/7/head 105      build 1701
//	2 group/sub/lib     release/2.x         200 success     package 2001
//	  private, lets 1 in
//	3 other/secret      main                300 success     build 3001
//	  private, with an empty allowlist
//	4 public/tools      main                400 success     build 4001
//	5 group/shop        main                500 success     build 5001, test 5002 (reports of every format)
//	  private                               510 success     build 5101, benchmark 5102, lint 5103 (failed, retried days later as 5999)
//	                                        520 success     nightly 5201, build 5202 (a schedule's)
//	                                        530 failed      build 5301, test 5302 (failed)
//	                                        540 manual      build 5401, approve 5402 (blocks it), release 5403 (created), tidy 5404 (optional)
//	                    feature/left (gone) 505 success     build 5051 (of a commit that is gone)
//	                    feature/cart        515 success     build 5151 (likewise)
//	                                        545 success     build 5451
//	                    refs/merge-requests/3/head  550     build 5501, only-head 5502
//	                                        …/merge 560     build 5601
//	                                        …/train 570     verify 5701 (running), build 5702
//
// The private and the bearer token belong to a maintainer of 1 and developer of 2
// and 5 who does not know 3. Project 1 has merge request 7, project 5 has 3
// (opened) and 4 (closed).
func Fixture() *World {
	roles := map[int64]string{1: "maintainer", 2: "developer", 5: "developer"}
	lib := pipeline(200, "release/2.x", "success", &Job{ID: 2001, Name: "package", Archive: libArchive()})
	return &World{
		Projects: []*Project{
			appProject(lib),
			{ID: 2, Path: "group/sub/lib", OldPaths: []string{"group/old-lib"}, Visibility: Private, DefaultBranch: "main", JobTokenAllowlist: []int64{1}, Pipelines: []*Pipeline{lib}},
			{ID: 3, Path: "other/secret", Visibility: Private, DefaultBranch: "main", Pipelines: []*Pipeline{pipeline(300, "main", "success", job(3001, "build"))}},
			{ID: 4, Path: "public/tools", Visibility: Public, DefaultBranch: "main", Pipelines: []*Pipeline{pipeline(400, "main", "success", job(4001, "build"))}},
			shopProject(),
		},
		Tokens: []*Token{
			{Value: JobToken, Kind: KindJob, Project: 1, Job: 1401},
			{Value: ShopJobToken, Kind: KindJob, Project: 5, Job: 5701},
			{Value: DeadJobToken, Kind: KindJob, Project: 1, Job: 1301, Dead: true},
			{Value: PrivateToken, Kind: KindPrivate, Roles: roles},
			{Value: ExpiredPrivateToken, Kind: KindPrivate, Roles: roles, Dead: true},
			{Value: NarrowToken, Kind: KindPrivate, Roles: roles, Scopes: []string{"read_repository"}},
			{Value: GranularToken, Kind: KindPrivate, Roles: roles, Permissions: []string{"Job: Read"}},
			{Value: InstanceJobToken, Kind: KindJob, Project: 1, Job: 1401},
			{Value: BearerToken, Kind: KindBearer, Roles: roles},
		},
	}
}

func appProject(lib *Pipeline) *Project {
	past := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	main := pipeline(100, "main", "success",
		&Job{ID: 1001, Name: "build", Stage: "build", Archive: appArchive()},
		&Job{ID: 1002, Name: "report", Archive: Zip(File{Name: "reports/report.xml", Content: "<report/>\n"}, File{Name: "reports/raw/data.json", Content: "{}\n"})},
		job(1003, "test 1/3"), job(1004, "test 2/3"), job(1005, "test 3/3"),
		job(1006, "build: [linux, amd64]"), job(1007, "build: [linux, arm64]"),
		&Job{ID: 1008, Name: "flaky", Status: "failed", AllowFailure: true, Archive: named("flaky", 1008)},
		&Job{ID: 1009, Name: "lint", Reports: []string{"junit"}},
		&Job{ID: 1010, Name: "expired", Archive: named("expired", 1010), ExpireAt: &past},
		&Job{ID: 1011, Name: "erased", Archive: named("erased", 1011), Erased: true},
		&Job{ID: 1012, Name: "twin", Archive: named("twin", 1012), Retried: true},
		job(1013, "twin"),
		job(1014, "deploy/eu"), job(1015, "test:unit"), job(1016, "c++"), job(1017, "100%"), job(1018, "issue #1"), job(1019, "測試"),
	)
	grandchild := pipeline(102, "main", "success", job(1201, "grandchild-only"))
	child := pipeline(101, "main", "success", job(1101, "build"), job(1102, "child-only"))
	child.Bridges = []*Bridge{{ID: 1190, Name: "deeper", Child: grandchild}}
	main.Bridges = []*Bridge{{ID: 1090, Name: "children", Child: child}, {ID: 1091, Name: "lib", DownstreamProject: 2, Downstream: lib}}
	child.Source, grandchild.Source = "parent_pipeline", "parent_pipeline"
	child.SHA, grandchild.SHA = main.SHA, main.SHA
	main.Locked = true
	tag := pipeline(103, "v1.0", "success", job(1501, "build"))
	tag.Tag = true
	merge := pipeline(105, "refs/merge-requests/7/head", "success", job(1701, "build"))
	merge.Source = "merge_request_event"
	return &Project{
		ID: 1, Path: "group/app", Visibility: Private, DefaultBranch: "main",
		MergeRequests: []*MergeRequest{{
			IID: 7, SourceBranch: "feature/seven", TargetBranch: "main", SHA: merge.SHA, BaseSHA: main.SHA, StartSHA: main.SHA, CreatedAt: merge.CreatedAt,
		}},
		Pipelines: []*Pipeline{
			pipeline(90, "main", "success", job(901, "build"), job(902, "old-only")),
			main,
			pipeline(110, "main", "failed", job(1301, "build"), job(1302, "main-only-newer")),
			pipeline(120, "main", "running", &Job{ID: 1401, Name: "build", Status: "running"}),
			tag,
			pipeline(104, "release/2.x", "success", job(1601, "build")),
			merge,
		},
	}
}

func pipeline(id int64, ref, status string, jobs ...*Job) *Pipeline {
	return &Pipeline{
		ID: id, Ref: ref, Status: status, SHA: fmt.Sprintf("%040x", id), Jobs: jobs,
		CreatedAt: time.Date(2026, 3, 1, 0, 0, int(id), 0, time.UTC),
	}
}

// job returns a job whose archive contains its ID.
func job(id int64, name string) *Job { return &Job{ID: id, Name: name, Archive: named(name, id)} }

func named(name string, id int64) []byte {
	return Zip(File{Name: "job.txt", Content: fmt.Sprintf("%s %d\n", name, id)})
}

func appArchive() []byte {
	return Zip(
		File{Name: "dist/"},
		File{Name: "dist/app", Content: "#!/bin/sh\necho app\n", Mode: 0o755},
		File{Name: "dist/current", Link: "app"},
		File{Name: "dist/logs/build.log", Content: strings.Repeat("compiling\n", 2000)},
		File{Name: "docs/guide [en].md", Content: "# Guide\n", Mode: 0o640},
		File{Name: "job.txt", Content: "build 1001\n"},
		File{Name: "empty"},
	)
}

func libArchive() []byte {
	return Zip(
		File{Name: "dist/lib.tar", Content: strings.Repeat("lib", 500)},
		File{Name: "dist/lib.js.map", Content: "{}"},
		File{Name: "lib/a/b.so", Content: strings.Repeat("\x7fELF", 300), Mode: 0o755},
		File{Name: "lib/a/b.so.map", Content: "map"},
		File{Name: "lib/c.so", Content: "c"},
		File{Name: "src/main.c", Content: "int main;\n"},
	)
}
