import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Whatever the bytes of a file say, reading it gives events or one InputError.
@Suite struct HostileFileTests {
  enum Sample: String, CaseIterable, Sendable { case xtc1, xtc1Compressed, xtc2, hdf5, png8, png16, jpeg, tiff, tiffPages, edf, cbf, smv, matlab, matlabPacked, npy, npz }

  private func bytes(_ sample: Sample, _ scratch: Scratch) throws -> [UInt8] {
    switch sample {
    case .xtc1: SampleFiles.xtc1
    case .xtc1Compressed: SampleFiles.xtc1Compressed
    case .xtc2: SampleFiles.xtc2
    case .hdf5: try SampleFiles.hdf5(in: scratch)
    case .png8: PNG.encode(grey: SampleFiles.grey8, rows: 9, columns: 12)
    case .png16: PNG.encode(grey: SampleFiles.grey16, rows: 9, columns: 12)
    case .jpeg: JPEG.encode(grey: SampleFiles.grey8, rows: 9, columns: 12)
    case .tiff: PictureFiles.tiff(rows: 5, columns: 6, depth: 16, format: 2, (0..<60).map { UInt8($0) })
    case .tiffPages: PictureFiles.lzwPages
    case .edf: PictureFiles.edf("SignedShort", columns: 6, rows: 5, (0..<60).map { UInt8($0) })
    case .cbf: PictureFiles.cbf
    case .smv: PictureFiles.smv("unsigned_short", columns: 6, rows: 5, (0..<60).map { UInt8($0) })
    case .matlab: PictureFiles.matlab
    case .matlabPacked: PictureFiles.camera
    case .npy: SampleFiles.npy
    case .npz: try SampleFiles.npz(in: scratch)
    }
  }

  private func open(_ sample: Sample, _ path: String) throws(InputError) -> any EventReader {
    switch sample {
    case .xtc1, .xtc1Compressed: try XTC1Reader(opening: path)
    case .xtc2: try XTC2Reader(opening: path)
    case .hdf5: try HDF5Reader(opening: path)
    case .png8, .png16: try PNGReader(opening: path)
    case .jpeg: try JPEGReader(opening: path)
    case .tiff, .tiffPages: try TIFFReader(opening: path)
    case .edf: try EDFReader(opening: path)
    case .cbf: try CBFReader(opening: path)
    case .smv: try SMVReader(opening: path)
    case .matlab, .matlabPacked: try MATLABReader(opening: path)
    case .npy: try NPYReader(opening: path)
    case .npz: try NPZReader(opening: path)
    }
  }

  /// How many events come out, and whether an error ended them.
  private func read(_ sample: Sample, _ mutant: [UInt8], _ path: String) throws -> (events: Int, failed: Bool) {
    try Data(mutant).write(to: URL(fileURLWithPath: path))
    var count = 0
    do throws(InputError) {
      let reader = try open(sample, path)
      while let event = try reader.next() {
        for payload in event.payloads {
          #expect(payload.info.shape.checkedCount.map { $0 * payload.info.element.size } == payload.bytes.count)
        }
        count += 1
        if count > 1000 { break }
      }
      #expect(count <= 1000, "no end of events")
      return (count, false)
    } catch {
      #expect(!error.expected.isEmpty && !error.found.isEmpty)
      return (count, true)
    }
  }

  @Test(arguments: Sample.allCases) func intactFilesAreReadToTheirEnd(sample: Sample) throws {
    let scratch = Scratch()
    let (events, failed) = try read(sample, try bytes(sample, scratch), scratch.file("a"))
    #expect(events > 0 && !failed)
  }

  @Test(arguments: Sample.allCases) func truncatedFilesNeverPassAsWhole(sample: Sample) throws {
    let scratch = Scratch()
    let whole = try bytes(sample, scratch)
    let complete = try read(sample, whole, scratch.file("a")).events
    var random = Philox(seed: 17)
    // Every length near the start and the end, where headers end, and 500 anywhere.
    let lengths =
      Array(0..<min(160, whole.count)) + Array(max(0, whole.count - 400)..<whole.count) + (0..<500).map { _ in Int(random.next() % UInt64(whole.count)) }
    for length in lengths {
      let (events, failed) = try read(sample, Array(whole[..<length]), scratch.file("a"))
      // Datagrams simply follow one another: a cut between two leaves a shorter, intact file. A small TIFF may end in fields that
      // are not needed.
      let isIntact = [.xtc1, .xtc1Compressed, .xtc2, .tiffPages].contains(sample) && events <= complete
      #expect(failed || isIntact, "\(sample) cut to \(length) bytes gave \(events) events")
    }
  }

  @Test(arguments: Sample.allCases) func corruptedFilesNeverCrash(sample: Sample) throws {
    let scratch = Scratch()
    let whole = try bytes(sample, scratch)
    var random = Philox(seed: 23)
    for _ in 0..<2000 {
      var mutant = whole
      for _ in 0..<1 + random.next() % 3 {
        let place = Int(random.next() % UInt64(whole.count))
        mutant[place] = [0, 0xFF, 0x7F, 0x80, UInt8(truncatingIfNeeded: random.next())][Int(random.next() % 5)]
      }
      _ = try read(sample, mutant, scratch.file("a"))
    }
  }
}
