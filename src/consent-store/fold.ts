/** Lines that statements only ever add, so that no two changes of consents wait for each other, are put together here. */
import { type Db, query } from '../db.ts'

/** Lines that are read with the others before they are worth folding, and as many as are folded at a time. */
const FRESH_MIN = 1_000
const FRESH_MAX = 20_000

/** Of `table`, new lines with those that are of the same `key`. Several may do it at once: each folds those that it took. */
export async function fold(db: Db, table: string, key: readonly string[]): Promise<void> {
  const columns = key.join(', ')
  await query(
    db,
    `with fresh as (
       delete from ${table} where ctid = any(array(
           select ctid from ${table} where not folded limit ? for update skip locked))
         and (select count(*) from (select 1 from ${table} where not folded limit ?) as enough) >= ?
       returning ${columns}, delta),
     earlier as (
       delete from ${table} where ctid = any(array(
         select ctid from ${table} where folded and (${columns}) in (select ${columns} from fresh)
         for update skip locked))
       returning ${columns}, delta)
     insert into ${table} (${columns}, delta, folded)
       select ${columns}, sum(delta), true
       from (select * from fresh union all select * from earlier) as taken
       group by ${columns} having sum(delta) <> 0`,
    [FRESH_MAX, FRESH_MIN, FRESH_MIN],
  )
}
