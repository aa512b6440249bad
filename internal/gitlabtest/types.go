package gitlabtest

import (
	"io"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// These types belong to package world. Tests use them by the names below.
type (
	// World is the content of an instance.
	World = world.World
	// Project is a project.
	Project = world.Project
	// Pipeline is a pipeline.
	Pipeline = world.Pipeline
	// Bridge is a trigger job.
	Bridge = world.Bridge
	// Job is a job.
	Job = world.Job
	// Artifact is a report of a job.
	Artifact = world.Artifact
	// Input is an input that a job declares.
	Input = world.Input
	// MergeRequest is a merge request.
	MergeRequest = world.MergeRequest
	// Commit is a commit.
	Commit = world.Commit
	// Token is a token.
	Token = world.Token
	// File is a file of an archive or a report.
	File = world.File
)

// Visibilities of a project, and kinds of token.
const (
	Private  = world.Private
	Internal = world.Internal
	Public   = world.Public

	KindJob     = world.KindJob
	KindPrivate = world.KindPrivate
	KindBearer  = world.KindBearer
)

// The tokens of [Fixture].
const (
	JobToken            = world.JobToken
	ShopJobToken        = world.ShopJobToken
	DeadJobToken        = world.DeadJobToken
	PrivateToken        = world.PrivateToken
	ExpiredPrivateToken = world.ExpiredPrivateToken
	NarrowToken         = world.NarrowToken
	GranularToken       = world.GranularToken
	InstanceJobToken    = world.InstanceJobToken
	BearerToken         = world.BearerToken
)

// FixtureTime is the time of files without their own.
var FixtureTime = world.FixtureTime

// Fixture is the world of the scripts and the demo: [world.Fixture].
func Fixture() *World { return world.Fixture() }

// ReadWorld reads a world as JSON: [world.Read].
func ReadWorld(r io.Reader) (*World, error) { return world.Read(r) }

// Zip creates an archive. The same files give the same bytes.
func Zip(files ...File) []byte { return world.Zip(files...) }

// Gzipped creates a gzip report: [world.Gzipped].
func Gzipped(files ...File) []byte { return world.Gzipped(files...) }
