// Package unzip decodes entries of a zip archive into a [Sink].
//
//	Extract(entries):
//	  plan regions          neighbours together, up to 16 MiB (plan.go)
//	  worker pool           grows while more connections help, and shrinks when the
//	                        server refuses requests (pool.go, queue.go, throttle.go)
//	    worker: read a region, large entries by several requests
//	                        (worker.go, rangereader.go, pieces.go)
//	      entry: check its local header, decode it while its bytes arrive
//	                        (decode.go, decompress.go, zstd.go), check size and
//	                        CRC-32, write it (asyncwriter.go if it is large)
//
// [Copy] does the same for one entry, without a pool.
package unzip
