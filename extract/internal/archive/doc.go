// Package archive holds what all archive formats share.
//
// A [Source] gives the bytes of an archive. A format's reader turns them into one
// [Header] per entry and charges a [Budget] for the memory. [CorruptError],
// [UnsafeError] and [LimitError] say why an archive is refused. An error that none
// of them wraps comes from the transfer: the archive itself may be fine.
package archive
