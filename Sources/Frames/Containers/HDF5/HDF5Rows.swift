import Foundation
import Host
import Tensors

/// The events of one image dataset, front to back: decoded here where that is possible, else by HDF5's library.
final class HDF5Rows {
  let dataset: HDF5Dataset
  /// What one event holds.
  let shape: Shape
  let count: Int
  private let isStack: Bool
  /// MATLAB writes columns first.
  private let isColumnMajor: Bool
  private let element: ElementType
  private var table: HDF5ChunkTable?
  private var source: HDF5ChunkSource?
  /// Rows that one band of chunks holds, kept because the next event is in it, too.
  private var band: (rows: Range<Int>, bytes: [UInt8]) = (0..<0, [])

  private static let bandLimit = 64 << 20

  init(_ dataset: HDF5Dataset, in file: HDF5File) throws(InputError) {
    guard case .number(let element) = dataset.element, dataset.shape.rank >= 2 else {
      throw InputError(
        path: file.path, place: dataset.path, expected: "numbers with two axes or more", found: "\(dataset.element) of shape \(dataset.shape)")
    }
    guard dataset.shape.count > 0 else {
      throw InputError(path: file.path, place: dataset.path, expected: "images", found: "shape \(dataset.shape)")
    }
    try dataset.checkSize()
    try dataset.checkFilters()
    self.dataset = dataset
    self.element = element
    isStack = StackLayout.isStack(dataset.shape)
    count = StackLayout.eventCount(dataset.shape)
    isColumnMajor = try file.attributeNames(of: dataset.path).contains("MATLAB_class")
    let stored = StackLayout.eventShape(dataset.shape)
    shape = isColumnMajor ? Shape(stored.extents.reversed()) : stored
    if case .direct(let table) = try dataset.access() {
      self.table = table
      source = try HDF5ChunkSource(file.path, dataset.path, table, keepsOpen: true)
    }
  }

  /// The rows of the dataset's first axis that make event `index`.
  private func rows(_ index: Int) -> Range<Int> { isStack ? index..<index + 1 : 0..<dataset.shape[0] }

  /// Whether the file holds all of event `index`. HDF5 reads what was never written as zeros.
  func isWritten(_ index: Int) throws(InputError) -> Bool {
    guard let table else { return try dataset.isWritten(row: rows(index).lowerBound) }
    let bands = rows(index).lowerBound / table.chunk[0]...(rows(index).upperBound - 1) / table.chunk[0]
    let perBand = table.grid.dropFirst().reduce(1, *)
    return table.entries[bands.lowerBound * perBand..<(bands.upperBound + 1) * perBand].allSatisfy { $0.byteCount > 0 }
  }

  /// The numbers of event `index`, row-major, little-endian.
  func bytes(_ index: Int, spare: SpareBytes?) throws(InputError) -> [UInt8] {
    let bytes = try storedBytes(index, spare)
    guard isColumnMajor else { return bytes }
    return NPYArray.rowMajor(bytes, shape, size: element.size)
  }

  private func storedBytes(_ index: Int, _ spare: SpareBytes?) throws(InputError) -> [UInt8] {
    guard let table, let source else { return try isStack ? dataset.bytes(row: index) : dataset.bytes() }
    let wanted = rows(index), rowBytes = dataset.shape.count / dataset.shape[0] * element.size
    if !band.rows.contains(wanted.lowerBound) || wanted.upperBound > band.rows.upperBound {
      let start = wanted.lowerBound / table.chunk[0] * table.chunk[0]
      var rows = start..<min(start + table.chunk[0], dataset.shape[0])
      // A band that is not all there, or too large to keep, is read row by row.
      if !isStack || rows.count * rowBytes > Self.bandLimit { rows = wanted }
      let bytes = try source.bytes(rows, count: rows.count * rowBytes, spare: rows == wanted ? spare : nil)
      if rows == wanted { return bytes }
      band = (rows, bytes)
    }
    let first = (wanted.lowerBound - band.rows.lowerBound) * rowBytes
    return Array(band.bytes[first..<first + wanted.count * rowBytes])
  }
}
