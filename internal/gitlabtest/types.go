package gitlabtest

import (
	"io"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// What the instance holds, by the names that tests use: package world has it.
type (
	World        = world.World
	Project      = world.Project
	Pipeline     = world.Pipeline
	Bridge       = world.Bridge
	Job          = world.Job
	Artifact     = world.Artifact
	Input        = world.Input
	MergeRequest = world.MergeRequest
	Commit       = world.Commit
	Token        = world.Token
	File         = world.File
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

// FixtureTime is the time of files that have none of their own.
var FixtureTime = world.FixtureTime

// Fixture is the world of the command tests and the demo: [world.Fixture].
func Fixture() *World { return world.Fixture() }

// ReadWorld reads a world as JSON: [world.Read].
func ReadWorld(r io.Reader) (*World, error) { return world.Read(r) }

// Zip makes an archive. The same files make the same bytes.
func Zip(files ...File) []byte { return world.Zip(files...) }

// Gzipped makes a report in the format gzip: [world.Gzipped].
func Gzipped(files ...File) []byte { return world.Gzipped(files...) }
