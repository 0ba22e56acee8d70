import CChunkFilters
import Foundation
import Host

/// A file with a chunk table: decodes rows from any thread.
final class HDF5ChunkSource: Sendable {
  private let path: String
  private let dataset: String
  private let table: HDF5ChunkTable
  private let descriptor: Int32?

  init(_ path: String, _ dataset: String, _ table: HDF5ChunkTable, keepsOpen: Bool) throws(InputError) {
    (self.path, self.dataset, self.table) = (path, dataset, table)
    descriptor = keepsOpen ? try Self.opened(path) : nil
  }

  deinit { if let descriptor { close(descriptor) } }

  private static func opened(_ path: String) throws(InputError) -> Int32 {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw InputError(.inputOutput, path: path, place: "", expected: "a readable file", found: unsafe String(cString: strerror(errno)))
    }
    return descriptor
  }

  /// `rows` of the dataset as an array of `count` bytes, a spare one where there is one.
  func bytes(_ rows: Range<Int>, count: Int, spare: SpareBytes? = nil) throws(InputError) -> [UInt8] {
    var failure: InputError?
    if var bytes = spare?.take(count) {
      unsafe bytes.withUnsafeMutableBytes { buffer in
        do throws(InputError) { try unsafe read(rows, into: buffer) } catch { failure = error }
      }
      if let failure { throw failure }
      return bytes
    }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(InputError) {
        try unsafe read(rows, into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
        filled = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Fills `output` with `rows` of the dataset, row-major.
  func read(_ rows: Range<Int>, into output: UnsafeMutableRawBufferPointer) throws(InputError) {
    guard unsafe !output.isEmpty else { return }
    let file = if let descriptor { descriptor } else { try Self.opened(path) }, inflater = Inflater()
    defer { if descriptor == nil { close(file) } }
    let rowBytes = output.count / rows.count, chunkRows = table.chunk[0]
    let perRow = table.grid.dropFirst().reduce(1, *), holdsWholeRows = perRow == 1 && table.chunk.dropFirst() == table.extents.dropFirst()
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: table.chunkByteCount, alignment: 64)
    defer { unsafe scratch.deallocate() }
    for band in rows.lowerBound / chunkRows...(rows.upperBound - 1) / chunkRows {
      let first = band * chunkRows
      if holdsWholeRows && first >= rows.lowerBound && first + chunkRows <= rows.upperBound {
        // The chunk is a piece of the output as it stands.
        let start = (first - rows.lowerBound) * rowBytes
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: output[start..<start + chunkRows * rowBytes])
        try unsafe decode(band, file, inflater, into: part)
        continue
      }
      for number in band * perRow..<(band + 1) * perRow {
        try unsafe decode(number, file, inflater, into: scratch)
        unsafe copy(UnsafeRawBufferPointer(scratch), of: number, rows, into: output)
      }
    }
  }

  /// The index of a chunk's first element.
  private func origin(_ number: Int) -> [Int] {
    var rest = number, origin = table.grid
    for axis in table.grid.indices.reversed() {
      origin[axis] = rest % table.grid[axis] * table.chunk[axis]
      rest /= table.grid[axis]
    }
    return origin
  }

  private func error(_ number: Int, _ expected: String, _ found: String) -> InputError {
    HDF5ChunkTable.error(path, dataset, origin(number), expected: expected, found: found)
  }

  /// One chunk as its elements lie in memory.
  private func decode(_ number: Int, _ file: Int32, _ inflater: Inflater, into output: UnsafeMutableRawBufferPointer) throws(InputError) {
    let entry = table.entries[number]
    guard entry.byteCount > 0 else { throw error(number, "a chunk of \(output.count) bytes", "none: it was never written") }
    guard entry.skipped >> table.filters.count == 0 else {
      throw error(number, "\(table.filters.count) filters", "a filter mask of \(entry.skipped)")
    }
    var isShuffled = false, packing: HDF5ChunkTable.Filter?
    for (index, filter) in table.filters.enumerated() where entry.skipped >> index & 1 == 0 {
      if filter == .shuffle { isShuffled = true } else { packing = filter }
    }
    // What cannot be compressed may be stored with a little more around it.
    guard packing != nil ? entry.byteCount <= 2 * output.count + 1024 : entry.byteCount == output.count else {
      throw error(number, "\(packing != nil ? "a stream for " : "")\(output.count) bytes", "\(entry.byteCount) stored bytes")
    }
    // Elements of one byte are the same in either order.
    isShuffled = isShuffled && table.elementSize > 1
    if packing == nil && !isShuffled { return try unsafe fetch(number, file, into: output) }
    let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: entry.byteCount, alignment: 64)
    defer { unsafe stored.deallocate() }
    try unsafe fetch(number, file, into: stored)
    guard let packing else { return unsafe unshuffle(UnsafeRawBufferPointer(stored), into: output) }
    let plain = unsafe isShuffled ? UnsafeMutableRawBufferPointer.allocate(byteCount: output.count, alignment: 64) : output
    defer { if isShuffled { unsafe plain.deallocate() } }
    try unsafe unpack(packing, UnsafeRawBufferPointer(stored), into: plain, number, inflater)
    if isShuffled { unsafe unshuffle(UnsafeRawBufferPointer(plain), into: output) }
  }

  /// Undoes the filter that packed chunk `number`: fills `output` or throws.
  private func unpack(
    _ packing: HDF5ChunkTable.Filter, _ stored: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ number: Int,
    _ inflater: Inflater
  ) throws(InputError) {
    let from = unsafe stored.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let to = unsafe output.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let fault: String?, name: String
    switch packing {
    case .shuffle: preconditionFailure("shuffle packs nothing")
    case .deflate:
      name = "deflate"
      fault = unsafe inflater.inflate(stored, into: output)
    case .lzf:
      name = "LZF"
      fault = unsafe psi_undo_lzf(from, stored.count, to, output.count) == 0 ? nil : "a damaged one"
    case .lz4:
      name = "LZ4"
      fault = unsafe psi_undo_lz4(from, stored.count, to, output.count) == 0 ? nil : "a damaged one"
    case .bitshuffle(let block, let isPacked):
      name = "bitshuffle"
      let status = unsafe psi_undo_bitshuffle(from, stored.count, to, output.count, table.elementSize, block, isPacked ? 1 : 0)
      fault = status == 0 ? nil : "a damaged one"
    }
    if let fault { throw error(number, "a \(name) stream of \(output.count) bytes", fault) }
  }

  private func fetch(_ number: Int, _ file: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(InputError) {
    let entry = table.entries[number]
    var done = 0
    while done < entry.byteCount {
      let count = unsafe pread(file, buffer.baseAddress! + done, entry.byteCount - done, off_t(entry.offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw error(
          number, "\(entry.byteCount) bytes at \(entry.offset)",
          count == 0 ? "the end of the file after \(done)" : unsafe String(cString: strerror(errno)))
      }
      done += count
    }
  }

  /// All first bytes, then all second bytes, ... -> elements.
  private func unshuffle(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
    let count = bytes.count / table.elementSize, first = unsafe bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    switch table.elementSize {
    case 2:
      let second = unsafe first + count, to = unsafe output.baseAddress!.assumingMemoryBound(to: UInt16.self)
      for i in 0..<count { unsafe to[i] = UInt16(first[i]) | UInt16(second[i]) << 8 }
    case 4:
      let second = unsafe first + count, third = unsafe second + count, fourth = unsafe third + count
      let to = unsafe output.baseAddress!.assumingMemoryBound(to: UInt32.self)
      for i in 0..<count {
        unsafe to[i] = UInt32(first[i]) | UInt32(second[i]) << 8 | UInt32(third[i]) << 16 | UInt32(fourth[i]) << 24
      }
    default:
      for place in 0..<table.elementSize {
        for i in 0..<count { unsafe output[i * table.elementSize + place] = first[place * count + i] }
      }
    }
  }

  /// Copies what `rows` want of chunk `number`, run by run along the last axis.
  private func copy(_ chunk: UnsafeRawBufferPointer, of number: Int, _ rows: Range<Int>, into output: UnsafeMutableRawBufferPointer) {
    let origin = origin(number), rank = origin.count, last = rank - 1
    let low = origin.indices.map { $0 == 0 ? max(origin[0], rows.lowerBound) : origin[$0] }
    let high = origin.indices.map { min(origin[$0] + table.chunk[$0], $0 == 0 ? rows.upperBound : table.extents[$0]) }
    let run = (high[last] - low[last]) * table.elementSize
    var index = low
    while true {
      var from = 0, to = 0
      for axis in 0..<rank {
        from = from * table.chunk[axis] + index[axis] - origin[axis]
        to = to * (axis == 0 ? 1 : table.extents[axis]) + index[axis] - (axis == 0 ? rows.lowerBound : 0)
      }
      unsafe memcpy(output.baseAddress! + to * table.elementSize, chunk.baseAddress! + from * table.elementSize, run)
      var axis = last - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < high[axis] { break }
        index[axis] = low[axis]
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
